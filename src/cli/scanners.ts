import type { Log } from "../base/log.ts";
import type { Config } from "../config/schema.ts";
import { Clamd } from "../mail/scan/clamd.ts";
import { Rspamd } from "../mail/scan/rspamd.ts";
import { Scanners } from "../mail/scan/scanners.ts";

/** The scanners that the configuration names. */
export function scannersOf({ spam, spamScore, clamd, clamdAway }: Config, log: Log): Scanners {
  return new Scanners({
    junkScore: spam === "off" ? undefined : spamScore,
    rspamd: spam === "off" || spam === "builtin" ? undefined : new Rspamd(spam),
    clamd: clamd && new Clamd(clamd),
    whenAway: clamdAway,
    log,
  });
}
