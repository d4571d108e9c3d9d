import { Cluster, Redis, type RedisOptions } from "ioredis";

/** Where Redis is, and how to sign in there. */
export interface RedisPlace {
  /** One server, the nodes of a Cluster, or the Sentinels that know the server. */
  kind: "single" | "cluster" | "sentinel";
  hosts: { host: string; port: number }[];
  /** The name by which Sentinels know the servers. */
  master?: string;
  username?: string;
  password?: string;
  db: number;
  /** Set for TLS; `ca` is the authority's certificate in PEM, besides those that Node knows. */
  tls?: { ca?: string };
}

export type RedisClient = Redis | Cluster;

const firstPauseMs = 50;
const maxPauseMs = 2_000;
const connectTimeoutMs = 2_000;

/** Pauses between attempts to connect, by chance, so that a Redis that is back is not stormed. */
function pauseBefore(attempt: number): number {
  return Math.min(maxPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);
}

/**
 * A client that connects in the background, again and again. While there is no connection, commands fail at once; none is
 * sent twice.
 */
export function createClient(place: RedisPlace, name: string): RedisClient {
  const { kind, hosts, username, password, db, tls } = place;
  const shared = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: tls.ca === undefined ? {} : { ca: tls.ca } }),
    connectionName: name,
    connectTimeout: connectTimeoutMs,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // Who subscribes does it again, and then knows when it is done.
    autoResubscribe: false,
  } satisfies RedisOptions;
  if (kind === "cluster") {
    return new Cluster(hosts, {
      enableOfflineQueue: false,
      enableAutoPipelining: true,
      shardedSubscribers: true,
      maxRedirections: 3,
      clusterRetryStrategy: pauseBefore,
      redisOptions: shared,
    });
  }
  const direct = { ...shared, db, enableOfflineQueue: false, enableAutoPipelining: true, retryStrategy: pauseBefore };
  if (kind === "single") return new Redis({ ...direct, ...hosts[0]! });
  return new Redis({
    ...direct,
    sentinels: hosts,
    name: place.master ?? "",
    sentinelRetryStrategy: pauseBefore,
    // A server that was made a replica keeps its connections.
    failoverDetector: true,
    ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: shared.tls ?? {} }),
  });
}
