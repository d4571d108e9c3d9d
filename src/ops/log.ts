import { pino } from "pino";
import type { Log } from "../base/log.ts";

/** Reduces an error to its type, message, code and the first line of its stack, to keep stack traces out of the log. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code } = error as { code?: unknown };
  const at = /^\s+at (.*)$/m.exec(error.stack ?? "")?.[1];
  return { type: error.name, message: error.message, ...(code !== undefined && { code }), ...(at && { at }) };
}

/** Logs one JSON line per event to stderr; stdout is for people. `process` is the number of one of several processes. */
export function createLog(level: string, process?: number): Log {
  const stderr = pino.destination({ dest: 2, sync: true });
  const formatters = { level: (label: string) => ({ level: label }) };
  return pino(
    {
      level,
      serializers: { err: describeError },
      base: process === undefined ? null : { process },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters,
    },
    stderr,
  );
}
