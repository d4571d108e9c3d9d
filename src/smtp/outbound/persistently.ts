import { retry } from "../../base/retry.ts";
import { CommitError } from "../../store/core/errors.ts";
import { isRetryable } from "../../store/core/loss.ts";
import type { MailOutOptions } from "./options.ts";

/** Retries while the database is away: if a server's answer were lost, the mail would go out twice. */
export function persistently<T>(work: () => Promise<T>, { clock, log }: MailOutOptions): Promise<T> {
  // One line for each answer, however long its node is away.
  let isTold = false;
  return retry(work, {
    clock,
    firstPauseMs: 100,
    maxPauseMs: 5_000,
    patienceMs: 10 * 60_000,
    isPassing: (error) => error instanceof CommitError || isRetryable(error),
    onFailure: (error) => {
      if (!isTold) log.warn({ reason: (error as Error).message }, "answer not recorded yet");
      isTold = true;
    },
  });
}
