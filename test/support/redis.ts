import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentEvents } from "../../src/base/events.ts";
import { silentLog } from "../../src/base/log.ts";
import { RedisLink, type RedisLinkOptions } from "../../src/redis/link.ts";
import { afterwards } from "./afterwards.ts";
import { freePorts, until } from "./ports.ts";

/** Why this machine cannot run Redis; undefined if it can. */
export const whyNoRedis =
  spawnSync("redis-server", ["--version"]).status === 0 ? undefined : "redis-server is not installed";
if (whyNoRedis) process.stderr.write(`\nLEFT OUT: what needs a real Redis: ${whyNoRedis}\n`);

const running = new Set<RedisServer>();
process.on("exit", () => {
  for (const server of running) server.kill();
});

/** A redis-server of its own, without a file. */
export class RedisServer {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), "posthorn-redis-"));
  readonly #args: string[];
  #child: ChildProcess | undefined;

  /** `file`: with the configuration of a Sentinel. */
  constructor(port: number, args: string[], file?: string) {
    this.port = port;
    const own = ["--port", String(port), "--bind", "127.0.0.1", "--dir", this.#folder];
    this.#args = file === undefined ? [...own, "--save", "", ...args] : [file, ...own, ...args];
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  async start(): Promise<this> {
    this.#child = spawn("redis-server", this.#args, { stdio: "ignore" });
    running.add(this);
    await until(`redis on port ${this.port}`, () => accepts(this.port));
    return this;
  }

  /** SIGKILL, which loses all that it has. */
  kill(): void {
    running.delete(this);
    this.#child?.kill("SIGCONT");
    this.#child?.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    this.kill();
    await ended;
  }

  /** Stops it as a hanging machine would: connections stay, and nothing is answered. */
  hang(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Runs a command, and returns what redis-cli prints. */
  cli(...args: string[]): string {
    return execFileSync("redis-cli", ["-p", String(this.port), ...args], { encoding: "utf8" }).trim();
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

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

function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  }).then((outcome) => {
    socket.destroy();
    return outcome as boolean;
  });
}
