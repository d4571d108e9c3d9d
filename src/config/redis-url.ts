import type { Parse } from "./values.ts";

/** Where Redis is, and how to sign in there. */
export interface RedisUrl {
  /** As the user wrote it. */
  text: string;
  /** One server, the nodes of a Cluster, or the Sentinels that know the server. */
  kind: "single" | "cluster" | "sentinel";
  hosts: { host: string; port: number }[];
  /** The name by which Sentinels know the servers. */
  master?: string;
  username?: string;
  password?: string;
  /** The number of the database; a Cluster has only 0. */
  db: number;
  isTls: boolean;
  /** PEM file of the certificate authority. */
  ca?: string;
}

const form = /^(rediss?):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/(\d*))?(?:\?([^#]*))?$/;

/**
 * `redis://user:password@host:port/database`, or `rediss://` for TLS; undefined for "". Several hosts, separated by commas,
 * are nodes of a Cluster, or, with `?sentinel=NAME`, Sentinels; `?cluster=true` makes a single host a node of a Cluster.
 */
export const redisUrl: Parse<RedisUrl | undefined> = (text) => {
  if (text === "") return undefined;
  // The value may hold a password, so no message repeats it.
  const [, scheme, login = "", names = "", db = "", query = ""] = form.exec(text) ?? [];
  if (scheme === undefined)
    throw new Error("is not a URL such as redis://host:6379 or rediss://user:password@host:6379");
  const { sentinel, cluster, ca } = parametersOf(query);
  const hosts = names.split(",");
  if (sentinel !== undefined && cluster !== undefined) throw new Error("cannot name Sentinels and a Cluster at once");
  const kind = sentinel !== undefined ? "sentinel" : cluster === "true" || hosts.length > 1 ? "cluster" : "single";
  if (kind === "cluster" && Number(db) > 0) throw new Error("names a database, but a Cluster has none");
  const [username = "", password = ""] = splitLogin(login);
  return {
    text,
    kind,
    hosts: hosts.map((host) => hostOf(host, kind === "sentinel" ? 26_379 : 6_379)),
    ...(sentinel !== undefined && { master: sentinel }),
    ...(username !== "" && { username }),
    ...(password !== "" && { password }),
    db: Number(db),
    isTls: scheme === "rediss",
    ...(ca !== undefined && { ca }),
  };
};

/** Braces would decide where a key lies in a Cluster. */
export const redisPrefix: Parse<string> = (value) => {
  if (/^[\w:.-]{0,100}$/.test(value)) return value;
  throw new Error(`"${value}" may have only letters, digits, and the signs : . _ -`);
};

export function showRedisUrl(url: RedisUrl | undefined): string {
  return url?.text ?? "";
}

function parametersOf(query: string): { sentinel?: string; cluster?: string; ca?: string } {
  const parameters = Object.fromEntries(new URLSearchParams(query));
  const wrong = Object.keys(parameters).find((name) => !["sentinel", "cluster", "ca"].includes(name));
  if (wrong !== undefined) throw new Error(`has an unknown parameter "${wrong}": sentinel, cluster and ca are known`);
  return parameters;
}

function splitLogin(login: string): string[] {
  const colon = login.indexOf(":");
  try {
    return (colon < 0 ? [login] : [login.slice(0, colon), login.slice(colon + 1)]).map(decodeURIComponent);
  } catch {
    throw new Error("has a user or password that is not percent-encoded");
  }
}

function hostOf(text: string, defaultPort: number): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port ?? defaultPort) > 65_535) throw new Error("has a host that is not host:port");
  return { host, port: Number(port ?? defaultPort) };
}
