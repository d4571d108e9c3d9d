import type { Resolver } from "node:dns/promises";
import type { Authenticator } from "../auth/login.ts";
import type { Clock, Random } from "../base/clock.ts";
import type { Ending } from "../base/ending.ts";
import type { Events } from "../base/events.ts";
import type { Log } from "../base/log.ts";
import type { SharedCounts } from "../base/shared-counts.ts";
import type { Ingest } from "../mail/deliver/ingest.ts";
import type { ReturnPaths } from "../mail/feedback/return-path.ts";
import type { ReportCounts } from "../mail/reports/report-counts.ts";
import type { Learner } from "../mail/scan/learner.ts";
import type { Scanners } from "../mail/scan/scanners.ts";
import type { HoldNotices } from "../mail/standing/notices.ts";
import type { Metrics } from "../ops/metrics.ts";
import type { Report } from "../ops/readiness.ts";
import type { Bus } from "../push/bus.ts";
import type { WebPush } from "../push/webpush/webpush.ts";
import type { Blobs } from "../store/blobs/blobs.ts";
import type { BodyCache } from "../store/blobs/cache.ts";
import type { ObjectStore } from "../store/blobs/objects/object-store.ts";
import type { Store } from "../store/core/store.ts";
import type { StoredMailLog } from "../store/queues/mail-log.ts";
import type { PageFile } from "../web/files.ts";
import type { Doors } from "./doors.ts";
import type { Tls } from "./tls/tls.ts";

/** What a server takes from outside; tests pass their own. */
export interface Surroundings {
  clock: Clock;
  resolver: Resolver;
  random: Random;
  log: Log;
}

/** What the roles stand on, which depends on whether the process is alone. */
export interface Foundation {
  store: Store;
  objects: ObjectStore;
  bus: Bus;
  /** Counts for limits that hold for all processes together. */
  counts: SharedCounts;
  doors: Doors;
  metrics: Metrics;
  events: Events;
  /** Bodies that all servers have at hand; undefined without Redis. */
  sharedCache: BodyCache | undefined;
  ready: () => Promise<Report>;
  /** The files of the pages for browsers. */
  pageFiles: () => Promise<PageFile[]>;
}

/** What the roles of a process share. */
export interface Parts extends Omit<Foundation, "objects" | "sharedCache"> {
  blobs: Blobs;
  ingest: Ingest;
  returnPaths: ReturnPaths;
  authenticator: Authenticator;
  surroundings: Surroundings;
  webPush: WebPush;
  mailLog: StoredMailLog;
  scanners: Scanners;
  learner: Learner;
  notices: HoldNotices;
  /** Undefined where no door has TLS. */
  tls: Tls | undefined;
  /** Undefined if no reports are sent. */
  reportCounts: ReportCounts | undefined;
}

/** A part of the server that listens on a port. */
export interface Part {
  url: string;
  stop(ending: Ending): Promise<void>;
}

/** Formats host and port for a URL; a server that listens on all addresses is shown at loopback. */
export function hostPort({ host, port }: { host: string; port: number }): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}
