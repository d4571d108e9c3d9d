import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addAccount } from "../../src/admin/accounts.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { initialize } from "../../src/postgres/initialize.ts";
import { prepareLayout } from "../../src/postgres/layout.ts";
import { recordedPid, spawnProgram } from "../../src/postgres/postmaster.ts";
import { serverSettings } from "../../src/postgres/settings.ts";
import { ProcessBus } from "../../src/push/bus.ts";
import { Database } from "../../src/store/core/database.ts";
import { migrate } from "../../src/store/core/migrate.ts";
import { Store } from "../../src/store/core/store.ts";
import { type DnsServer, startDns } from "../support/dns.ts";
import { Fleet } from "../support/fleet.ts";
import { freePorts, until } from "../support/ports.ts";
import { RedisServer, whyNoRedis } from "../support/redis-server.ts";
import { bucketOf, keys, optionsFor } from "../support/s3/place.ts";
import { StrictServer } from "../support/s3/strict-server.ts";
import { watch } from "../support/server.ts";
import { SmallDisk } from "../support/small-disk.ts";
import { type SmtpSink, startSink } from "../support/smtp-sink.ts";
import { PostgresNode, query } from "./postgres-node.ts";
import { openUser, password, type User } from "./user.ts";

export interface Place {
  /** Of an empty database on the coordinator of a Citus cluster; undefined for a Postgres of its own. */
  citusUrl: string | undefined;
  /** The data folders of its nodes; those that are not named are left alone. */
  citusData: string[];
  bodies: "s3" | "disk";
}

const userCount = 8;
const megabyte = 2 ** 20;
const patient = { timeoutMs: 30_000 };

/** All that can be made to fail: the processes, and what they share. */
export interface Installation {
  fleet: Fleet;
  users: User[];
  /** Of the database that has the queues: plain Postgres, or the coordinator. */
  databaseUrl: string;
  /** The nodes of the database whose processes can be reached: one, or the coordinator and its workers. */
  nodes: PostgresNode[];
  isOnCitus: boolean;
  redis: RedisServer | undefined;
  /** Undefined with bodies on disk. */
  s3: StrictServer | undefined;
  /** The data folder of the processes, and that of the database, where they can be filled. */
  disks: { data: SmallDisk | undefined; database: SmallDisk | undefined };
  sink: SmtpSink;
  /** The URL of the same database on another node. */
  urlOf(node: PostgresNode): string;
  dispose(): Promise<void>;
}

/** Starts everything, with users and no mail. What it made goes with `dispose`, the last first. */
export async function install(place: Place): Promise<Installation> {
  const cleanups: (() => unknown)[] = [];
  const dispose = async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    return await build(place, cleanups, dispose);
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function build(place: Place, cleanups: (() => unknown)[], dispose: () => Promise<void>): Promise<Installation> {
  const base = mkdtempSync(join(tmpdir(), "posthorn-chaos-"));
  chmodSync(base, 0o755);
  cleanups.push(() => rmSync(base, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));
  const disk = (name: string, megabytes: number) => {
    const folder = join(base, name);
    mkdirSync(folder, { mode: 0o755 });
    const mounted = SmallDisk.mount(megabytes * megabyte, folder);
    if (mounted) cleanups.push(() => mounted.dispose());
    return { folder, mounted };
  };
  const data = disk("data", place.bodies === "disk" ? 1_000 : 100);
  const isOnCitus = place.citusUrl !== undefined;
  const own = isOnCitus ? undefined : disk("database", 600);
  const nodes = own ? [await startPostgres(own.folder, cleanups)] : place.citusData.map((folder) => nodeOf(folder));
  const databaseUrl = place.citusUrl ?? `postgres://posthorn@127.0.0.1:${nodes[0]!.port}/posthorn`;
  const redis = whyNoRedis ? undefined : await new RedisServer((await freePorts(1))[0]!, []).start();
  if (redis) cleanups.push(() => redis.dispose());
  const s3 = place.bodies === "s3" ? await new StrictServer({ keys }).start() : undefined;
  if (s3) cleanups.push(() => s3.stop());
  const sink = await startSink({ tls: false });
  cleanups.push(() => sink.stop());
  const dns = await startDns({
    "remote.test": { MX: { preference: 10, exchange: "mx.remote.test" } },
    "mx.remote.test": { A: "127.0.0.1" },
  });
  cleanups.push(() => dns.stop());
  const accounts = await addAccounts(databaseUrl);
  const fleet = await Fleet.start({
    dataFolder: join(data.folder, "data"),
    maxAnswerMs: 1_000,
    env: {
      DATABASE_URL: databaseUrl,
      ...(redis && { POSTHORN_REDIS: redis.url }),
      ...(s3 && optionsFor(bucketOf(s3))),
      ...optionsOf(dns, sink),
    },
  });
  cleanups.push(() => fleet.dispose());
  const nodePorts = isOnCitus ? await portsOf(databaseUrl, accounts) : undefined;
  const users = await Promise.all(
    [...accounts].map(([address, id]) => openUser(fleet.url, address, nodePorts?.get(id) ?? nodes[0]!.port)),
  );
  cleanups.push(() => {
    for (const { client } of users) client.close();
  });
  const urlOf = ({ port }: PostgresNode) => Object.assign(new URL(databaseUrl), { port: String(port) }).href;
  const disks = { data: data.mounted, database: own?.mounted };
  return { fleet, users, databaseUrl, nodes, isOnCitus, redis, s3, disks, sink, urlOf, dispose };
}

const optionsOf = (dns: DnsServer, sink: SmtpSink) => ({
  POSTHORN_RESOLVER: dns.address,
  POSTHORN_MX_PORT: String(sink.port),
  POSTHORN_ALLOW_PRIVATE_TARGETS: "true",
  POSTHORN_DEMO: "false",
  POSTHORN_RETRY_SCHEDULE: "1s,1s,2s,5s",
});

function nodeOf(folder: string): PostgresNode {
  return new PostgresNode(`the database in ${folder}`, folder);
}

async function startPostgres(folder: string, cleanups: (() => unknown)[]): Promise<PostgresNode> {
  const layout = prepareLayout(folder);
  await initialize(layout);
  const [port] = (await freePorts(1)) as [number];
  const own = ["listen_addresses=127.0.0.1", `port=${port}`, "max_wal_size=128MB", "max_connections=300"];
  const args = [...serverSettings(layout.run, layout.binaries.version, 2 ** 30), ...own.flatMap((one) => ["-c", one])];
  spawnProgram(layout, "postgres", ["-D", layout.pg, ...args], openSync(layout.logFile, "a", 0o600)).unref();
  // Should this process be killed, a shell ends the database.
  watch(folder, undefined);
  await until("Postgres begins", () => recordedPid(layout.pg), patient);
  const url = (database: string) => `postgres://posthorn@127.0.0.1:${port}/${database}`;
  await until("Postgres answers", () => query(url("postgres"), "SELECT 1").catch(() => undefined), patient);
  await query(url("postgres"), "CREATE DATABASE posthorn");
  const node = new PostgresNode("the database", layout.pg);
  cleanups.push(() => node.kill());
  return node;
}

/** Migrates the database and adds the users; their account ids by address. */
async function addAccounts(databaseUrl: string): Promise<Map<string, number>> {
  const database = new Database({ connectionString: databaseUrl, max: 4 }, silentLog);
  try {
    await migrate(database, silentLog);
    const store = new Store({ database, clock: systemClock, log: silentLog });
    const bus = new ProcessBus({ store, log: silentLog });
    const admin = { store, bus, random: randomBytes, log: silentLog, who: "chaos" };
    const accounts = new Map<string, number>();
    for (let number = 1; number <= userCount; number++) {
      const address = `user${number}@home.test`;
      const { userId } = await addAccount(admin, { address, name: "", password, quota: 0 });
      accounts.set(address, userId);
    }
    await bus.close();
    return accounts;
  } finally {
    await database.close();
  }
}

/** The port of the node that has each account. */
async function portsOf(databaseUrl: string, accounts: Map<string, number>): Promise<Map<number, number>> {
  const rows = await query<{ id: string; port: number }>(
    databaseUrl,
    `SELECT a.id, n.nodeport AS port FROM unnest($1::bigint[]) a (id)
     JOIN pg_dist_placement p ON p.shardid = get_shard_id_for_distribution_column('account', a.id)
     JOIN pg_dist_node n ON n.groupid = p.groupid AND n.noderole = 'primary'`,
    [[...accounts.values()]],
  );
  return new Map(rows.map(({ id, port }) => [Number(id), port]));
}
