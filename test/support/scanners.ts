import { silentLog } from "../../src/base/log.ts";
import { type ScannerOptions, Scanners } from "../../src/mail/scan/scanners.ts";

/** The scanners of the default configuration, or others. */
export function testScanners(options: Partial<ScannerOptions> = {}): Scanners {
  const usual = { junkScore: 5, rspamd: undefined, clamd: undefined, whenAway: "defer", log: silentLog } as const;
  return new Scanners({ ...usual, ...options });
}
