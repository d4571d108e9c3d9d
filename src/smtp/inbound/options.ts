import type { Clock } from "../../base/clock.ts";
import type { Events } from "../../base/events.ts";
import type { Log } from "../../base/log.ts";
import type { SharedCounts } from "../../base/shared-counts.ts";
import type { Incoming } from "../../mail/deliver/incoming.ts";
import type { ReturnPaths } from "../../mail/feedback/return-path.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import type { Database } from "../../store/core/database.ts";
import type { DnsResolver } from "../resolver.ts";
import type { Certificate } from "./certificate.ts";

export interface SmtpInOptions {
  database: Database;
  blobs: Blobs;
  incoming: Incoming;
  returnPaths: ReturnPaths;
  resolver: DnsResolver;
  clock: Clock;
  log: Log;
  events: Events;
  /** Counts connections and messages by network. */
  counts: SharedCounts;
  /** In the greeting and in trace headers. */
  hostname: string;
  maxMessageSize: number;
  /** The connections that this process may have open at once. */
  maxConnections: number;
  /** PEM. (Default: a self-signed one.) */
  certificate?: Certificate | undefined;
}
