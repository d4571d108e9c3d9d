import type { Authenticator } from "../auth/login.ts";
import type { Ingest } from "../mail/ingest.ts";
import type { Metrics } from "../ops/metrics.ts";
import type { Blobs } from "../store/blobs.ts";
import type { Store } from "../store/store.ts";
import type { Surroundings } from "./serve.ts";

/** What the roles of a server share. */
export interface Parts {
  store: Store;
  blobs: Blobs;
  ingest: Ingest;
  authenticator: Authenticator;
  metrics: Metrics;
  surroundings: Surroundings;
  isReady: () => Promise<boolean>;
}

/** Something that listens. */
export interface Part {
  url: string;
  stop(): Promise<void>;
}

/** For a URL; a server that listens everywhere is reached at loopback. */
export function hostPort({ host, port }: { host: string; port: number }): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}
