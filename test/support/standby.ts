import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { initialize } from "../../src/postgres/initialize.ts";
import { type Layout, prepareLayout } from "../../src/postgres/layout.ts";
import { processesIn, spawnProgram } from "../../src/postgres/postmaster.ts";
import { serverSettings } from "../../src/postgres/settings.ts";
import { freePorts, until } from "./ports.ts";

/** A Postgres on a TCP port of loopback: a primary, or the standby of one. */
export class Replica {
  readonly port: number;
  readonly #layout: Layout;
  readonly #settings: string[];
  #child: ChildProcess | undefined;

  constructor(layout: Layout, port: number, settings: string[]) {
    this.#layout = layout;
    this.port = port;
    this.#settings = settings;
  }

  async start(): Promise<void> {
    const settings = serverSettings(this.#layout.run, this.#layout.binaries.version, 2 ** 30);
    const own = ["listen_addresses=127.0.0.1", `port=${this.port}`, "wal_level=replica", "max_wal_senders=5"];
    const args = [...settings, ...[...own, ...this.#settings].flatMap((setting) => ["-c", setting])];
    this.#child = spawnProgram(this.#layout, "postgres", ["-D", this.#layout.pg, ...args], "pipe");
    this.#child.stdout?.resume();
    this.#child.stderr?.resume();
    await until("Postgres answers", () => this.run("SELECT 1").catch(() => undefined), { timeoutMs: 20_000 });
  }

  /** SIGKILL of all its processes. */
  async kill(): Promise<void> {
    const pids = [this.#child!.pid!, ...(processesIn(this.#layout.pg) ?? [])];
    const ended = once(this.#child!, "exit");
    for (const pid of new Set(pids)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended with its parent.
      }
    }
    await ended;
  }

  /** Ends it as an operator would. */
  async stop(): Promise<void> {
    if (this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    process.kill(this.#child.pid!, "SIGINT");
    await ended;
  }

  async run<Row extends object>(text: string, database = "postgres"): Promise<Row[]> {
    const client = new pg.Client({ host: "127.0.0.1", port: this.port, user: "posthorn", database });
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query<Row>(`/* test */ ${text}`)).rows;
    } finally {
      await client.end();
    }
  }
}

export interface Pair {
  primary: Replica;
  standby: Replica;
  /** Of both, the primary first. */
  url: string;
  dispose(): Promise<void>;
}

/** A primary that waits for its standby at each commit. Once promoted, the standby waits for nobody. */
export async function startPair(): Promise<Pair> {
  const base = mkdtempSync(join(tmpdir(), "posthorn-pair-"));
  chmodSync(base, 0o755);
  const [first, second] = (await freePorts(2)) as [number, number];
  const layout = prepareLayout(join(base, "one"));
  await initialize(layout);
  const fresh = new Replica(layout, first, []);
  await fresh.start();
  await fresh.run("CREATE DATABASE posthorn");
  await fresh.stop();
  const copy = prepareLayout(join(base, "two"));
  execFileSync("cp", ["-a", layout.pg, copy.pg]);
  const signal = join(copy.pg, "standby.signal");
  writeFileSync(signal, "");
  chownSync(signal, copy.user.uid, copy.user.gid);
  const primary = new Replica(layout, first, ["synchronous_standby_names=*"]);
  const standby = new Replica(copy, second, [`primary_conninfo=host=127.0.0.1 port=${first} user=posthorn`]);
  await standby.start();
  await primary.start();
  await until("the standby follows", async () => (await primary.run("SELECT FROM pg_stat_replication")).length > 0);
  return {
    primary,
    standby,
    url: `postgres://posthorn@127.0.0.1:${first},127.0.0.1:${second}/posthorn`,
    dispose: async () => {
      for (const replica of [primary, standby]) await replica.stop();
      rmSync(base, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
  };
}
