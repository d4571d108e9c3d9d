import type { Patience } from "../../base/retry.ts";
import { NotPrimary, Unreachable } from "./errors.ts";

/** SQLSTATEs after which nothing was committed, so the whole transaction may run again. */
const retryable = new Set("40001 40P01 57P01 57P02 57P03 08000 08001 08003 08006 53300 25P03".split(" "));
/** A row is locked for longer than anybody waits. */
const waitedInVain = "55P03";
const socketErrors = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOENT"]);

/** True when a lost connection or race ended the statement, rather than an error in it. */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof Unreachable || error instanceof NotPrimary) return true;
  const code = (error as { code?: string }).code;
  if (code !== undefined) return retryable.has(code) || socketErrors.has(code) || code === waitedInVain;
  return /Connection terminated|connection timeout|not queryable/i.test(error.message);
}

/** For repeatable work that somebody is waiting for. A commit with an unknown outcome is not repeatable. */
export const databasePatience: Patience = {
  firstPauseMs: 20,
  maxPauseMs: 500,
  patienceMs: 10_000,
  // A server that was waited for already is not waited for again.
  isPassing: (error) => isRetryable(error) && !(error instanceof Unreachable),
};
