import { execFileSync } from "node:child_process";
import { silentEvents } from "../../src/base/events.ts";
import { silentLog } from "../../src/base/log.ts";
import { RedisLink, type RedisLinkOptions } from "../../src/redis/link.ts";
import { afterwards } from "./afterwards.ts";
import { freePorts, until } from "./ports.ts";
import { RedisServer, whyNoRedis } from "./redis-server.ts";

if (whyNoRedis) process.stderr.write(`\nLEFT OUT: what needs a real Redis: ${whyNoRedis}\n`);

export async function startRedis(...args: string[]): Promise<RedisServer> {
  const [port] = await freePorts(1);
  const server = await new RedisServer(port!, args).start();
  afterwards(() => server.dispose());
  return server;
}

/** A Cluster of three nodes without replicas. */
export async function startRedisCluster(): Promise<RedisServer[]> {
  const ports = await freePorts(6);
  const options = ["--cluster-enabled yes", "--cluster-node-timeout 1000", "--cluster-require-full-coverage no"];
  const servers = await Promise.all(
    ports.splice(0, 3).map((port, at) => {
      const args = [...options, `--cluster-port ${ports[at]}`].flatMap((option) => option.split(" "));
      return new RedisServer(port, args).start();
    }),
  );
  for (const server of servers) afterwards(() => server.dispose());
  const nodes = servers.map(({ port }) => `127.0.0.1:${port}`);
  execFileSync("redis-cli", ["--cluster", "create", ...nodes, "--cluster-yes"]);
  for (const server of servers) {
    await until("the cluster", () => server.cli("cluster", "info").includes("cluster_state:ok"));
  }
  return servers;
}

/** Tells of a slot whether this node of a Cluster has it now. */
export function slotsOf(server: RedisServer): (slot: number) => boolean {
  const nodes = server.cli("cluster", "nodes").split("\n");
  const own = nodes.find((line) => line.includes("myself"))!.split(" ");
  const ranges = own.slice(8).map((range) => range.split("-").map(Number));
  return (slot) => ranges.some(([first, last = first]) => first! <= slot && slot <= last!);
}

let links = 0;

/** A link to the server, or to the Cluster, with keys of its own unless a prefix is given. */
export function linkTo(
  servers: RedisServer | RedisServer[],
  { prefix = `test${process.pid}.${++links}:`, ...more }: Partial<RedisLinkOptions> = {},
): RedisLink {
  const hosts = [servers].flat().map(({ port }) => ({ host: "127.0.0.1", port }));
  const kind = Array.isArray(servers) ? ("cluster" as const) : ("single" as const);
  const place = { kind, hosts, db: 0 };
  const options = { place, name: "test", prefix, log: silentLog, events: silentEvents };
  const link = new RedisLink({ ...options, ...more });
  afterwards(() => link.close());
  return link;
}

/** Resolves when the link is up. */
export async function up(link: RedisLink): Promise<RedisLink> {
  await until("Redis", () => link.isUp);
  return link;
}
