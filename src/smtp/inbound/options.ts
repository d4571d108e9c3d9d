import type { Clock } from "../../base/clock.ts";
import type { Events } from "../../base/events.ts";
import type { Log } from "../../base/log.ts";
import type { MailLog } from "../../base/mail-log.ts";
import type { SharedCounts } from "../../base/shared-counts.ts";
import type { Incoming } from "../../mail/deliver/incoming.ts";
import type { ReturnPaths } from "../../mail/feedback/return-path.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import type { Database } from "../../store/core/database.ts";
import type { Resolve } from "../resolver.ts";
import type { DmarcSeen } from "./authenticate.ts";
import type { Certificates } from "./certificate.ts";
import type { LocalPolicies } from "./disposition.ts";

/** What every kind of server needs. */
export interface ServerOptions {
  database: Database;
  clock: Clock;
  log: Log;
  mailLog: MailLog;
  /** A number that no mail has had. */
  newId(): Promise<number>;
  events: Events;
  /** Counts connections and messages by network. */
  counts: SharedCounts;
  /** In the greeting and in trace headers. */
  hostname: string;
  maxMessageSize: number;
  /** The connections that this process may have open at once. */
  maxConnections: number;
  /** (Default: a self-signed one.) */
  certificates?: Certificates;
}

export interface SmtpInOptions extends ServerOptions {
  blobs: Blobs;
  incoming: Incoming;
  returnPaths: ReturnPaths;
  resolver: Resolve;
  /** (Default: none) */
  dnsLists?: readonly DnsList[];
  /** What the operator decided about DMARC and ARC. (Default: nothing) */
  policies?: LocalPolicies;
  /** Whether strangers are put off once. (Default: false) */
  greylist?: boolean;
  /** Is told what DMARC found for each author's domain that has a policy. */
  onDmarc?: (seen: DmarcSeen) => void;
}

/** RFC 5782: a list of addresses in DNS. A negative weight speaks for those who are listed. */
export interface DnsList {
  zone: string;
  weight: number;
}

export interface LmtpOptions extends SmtpInOptions {
  /** Networks that may connect, beside loopback. */
  peers: readonly string[];
  /** Whose Authentication-Results are believed; "" for nobody's. */
  authserv: string;
  /** It listens at a socket file. */
  isLocal: boolean;
}
