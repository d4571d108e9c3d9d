import type { Clock, Random } from "../../base/clock.ts";
import type { Events } from "../../base/events.ts";
import type { Holder } from "../../base/holder.ts";
import type { Log } from "../../base/log.ts";
import type { MailLog } from "../../base/mail-log.ts";
import type { Incoming } from "../../mail/deliver/incoming.ts";
import type { ReturnPaths } from "../../mail/feedback/return-path.ts";
import type { Scanners } from "../../mail/scan/scanners.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import type { Store } from "../../store/core/store.ts";
import type { RetryPolicy } from "./retry.ts";
import type { SendOptions } from "./send.ts";

export interface MailOutOptions extends SendOptions, RetryPolicy {
  store: Store;
  blobs: Blobs;
  incoming: Incoming;
  returnPaths: ReturnPaths;
  /** Whether mail leaves with a signed return path instead of its sender's address. */
  signsReturnPath: boolean;
  /** After so many milliseconds the sender is told that a mail waits; 0 for never. */
  delayWarning: number;
  clock: Clock;
  random: Random;
  log: Log;
  mailLog: MailLog;
  events: Events;
  scanners: Scanners;
  holder: Holder;
}
