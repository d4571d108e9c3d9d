import type { Clock } from "../../base/clock.ts";
import type { Events } from "../../base/events.ts";
import type { Holder } from "../../base/holder.ts";
import type { Log } from "../../base/log.ts";
import type { MailLog } from "../../base/mail-log.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import type { Store } from "../../store/core/store.ts";
import type { IncomingMessage } from "../../store/queues/incoming.ts";
import type { ReturnPaths } from "../feedback/return-path.ts";
import type { Arrival } from "../feedback/returned.ts";
import type { Scanners } from "../scan/scanners.ts";
import type { Decision } from "./disposition.ts";
import type { Ingest } from "./ingest.ts";
import type { PreparedMessage } from "./prepare.ts";

/** A message on its way into accounts. */
export interface Arriving {
  row: IncomingMessage;
  prepared: PreparedMessage;
  arrival: Arrival;
}

/** A message that has just been put into an account. */
export interface Delivered {
  accountId: number;
  /** The recipient's address in the envelope. */
  address: string;
  /** "" for the null sender. */
  mailFrom: string;
  /** RFC 8689 §6: what is sent because of it goes over verified TLS alone, too. */
  requiresTls: boolean;
  arrivedAt: Date;
  prepared: PreparedMessage;
  decision: Decision;
  bytes: Buffer;
}

export interface IncomingOptions {
  store: Store;
  blobs: Blobs;
  ingest: Ingest;
  returnPaths: ReturnPaths;
  clock: Clock;
  log: Log;
  mailLog: MailLog;
  events: Events;
  holder: Holder;
  /** How many messages may wait before no more should be taken. (Default: 100,000) */
  maxWaiting?: number;
  scanners: Scanners;
  /** Called for each message put into an account; again if it failed or if the process died meanwhile. */
  onDelivered?: (delivered: Delivered) => Promise<void>;
}
