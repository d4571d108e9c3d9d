import { pino } from "pino";
import type { Log } from "../base/log.ts";

/** What an error is and where it arose: enough to find it, and no trace through the log. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code } = error as { code?: unknown };
  const at = /^\s+at (.*)$/m.exec(error.stack ?? "")?.[1];
  return { type: error.name, message: error.message, ...(code !== undefined && { code }), ...(at && { at }) };
}

/** One JSON line an event on stderr, so that stdout stays for people. */
export function createLog(level: string): Log {
  const stderr = pino.destination({ dest: 2, sync: true });
  const formatters = { level: (label: string) => ({ level: label }) };
  return pino(
    { level, serializers: { err: describeError }, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters },
    stderr,
  );
}
