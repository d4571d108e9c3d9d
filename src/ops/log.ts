import { pino } from "pino";
import type { Log } from "../base/log.ts";

/** One JSON line an event on stderr, so that stdout stays for people. */
export function createLog(level: string): Log {
  const stderr = pino.destination({ dest: 2, sync: true });
  const formatters = { level: (label: string) => ({ level: label }) };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters }, stderr);
}
