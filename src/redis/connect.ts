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
/** Finds nodes that have come or gone unnoticed. */
const slotsRefreshInterval = 5_000;

/** Pauses between attempts to connect, by chance, so that a Redis that is back is not stormed. */
function pauseBefore(attempt: number): number {
  return Math.min(maxPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);
}

/**
 * A client that connects in the background, again and again. While there is no connection, commands fail at once; none is
 * sent twice.
 */
export function createClient(place: RedisPlace, name: string): RedisClient {
  if (place.kind !== "cluster") return createServerClient(place, name);
  return new Cluster(place.hosts, {
    enableOfflineQueue: false,
    maxRedirections: 3,
    // Nobody waits for a node to come back.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    clusterRetryStrategy: pauseBefore,
    slotsRefreshInterval,
    // Connects to all nodes at once, so that no command waits for it later.
    redisOptions: { ...commonOptions(place, name), lazyConnect: false },
  });
}

/** Like `createClient`, for a place that is not a Cluster. */
export function createServerClient(place: RedisPlace, name: string): Redis {
  const { kind, hosts, master = "", db, tls } = place;
  const options = {
    ...commonOptions(place, name),
    db,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    retryStrategy: pauseBefore,
  };
  if (kind === "single") return new Redis({ ...options, ...hosts[0]! });
  return new Redis({
    ...options,
    sentinels: hosts,
    name: master,
    sentinelRetryStrategy: pauseBefore,
    // A server that was made a replica keeps its connections.
    failoverDetector: true,
    ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: options.tls ?? {} }),
  });
}

/** A node of a Cluster, host:port, as a place of its own. */
export function nodeOf(place: RedisPlace, node: string): RedisPlace {
  const colon = node.lastIndexOf(":");
  return { ...place, kind: "single", hosts: [{ host: node.slice(0, colon), port: Number(node.slice(colon + 1)) }] };
}

function commonOptions({ username, password, tls }: RedisPlace, name: string) {
  return {
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
}
