import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type Owner, recordedOwner, recordOwner } from "./owner-record.ts";
import { isAlive } from "./postmaster.ts";
import { InUseError, StartError } from "./start-error.ts";

export interface Connection {
  host: string;
  user: string;
  database: string;
  port: number;
}

/** "posthorn" in ASCII, cut to what a bigint holds. */
const ownerLock = "8102099357864587";
const cannotConnectNow = "57P03";
const tooManyConnections = "53300";
/** The first start has not created the database yet. */
const noSuchDatabase = "3D000";
/** The server is stopping, or ends all connections after a crash. */
const cutOff = ["57P01", "57P02"];
const notYet = new Set([cannotConnectNow, tooManyConnections, noSuchDatabase, ...cutOff]);

/**
 * Connects to the server. Returns "starting" while it recovers or stops, "absent" when nothing listens. `waitMs` limits one
 * attempt.
 */
export async function tryConnect(
  connection: Connection,
  name: string,
  waitMs = 10_000,
): Promise<pg.Client | "starting" | "absent"> {
  const client = new pg.Client({
    ...connection,
    ssl: false,
    application_name: name,
    connectionTimeoutMillis: waitMs,
  });
  // The caller watches for the end of the connection; without this listener the error would end the process.
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.end().catch(() => {});
    const { code } = error as { code?: string };
    if (code === "ENOENT" || code === "ECONNREFUSED") return "absent";
    if (code === "EACCES") {
      throw new StartError(
        `no permission to use the database's socket in ${connection.host}: run as root or as its owner`,
      );
    }
    if (notYet.has(code ?? "") || /^E(CONNRESET|PIPE|AGAIN)$/.test(code ?? "")) return "starting";
    // The connection was cut before the greeting, or the greeting came too late.
    if (code === undefined) return "starting";
    throw new StartError(`cannot connect to the database in ${connection.host}: ${(error as Error).message}`);
  }
}

/** The application_name of the owner's connection, which tells other processes who holds the lock. */
export function ownerName({ pid, isPassing }: Owner): string {
  return `posthorn ${isPassing ? "command" : "owner"} ${pid}`;
}

/**
 * Takes the data folder for this process for as long as the connection lasts. The server holds the lock, so it is released
 * the moment its holder dies, however it dies. `isPassing` tells other processes that they may wait for this one.
 */
export async function takeOwnership(client: pg.Client, dataFolder: string, isPassing: boolean): Promise<void> {
  await client.query("set idle_session_timeout = 0");
  const inUse = (by: Owner | undefined) =>
    new InUseError(`${dataFolder} is in use by another posthorn (pid ${by?.pid ?? "unknown"})`, by?.isPassing ?? false);
  for (let attempt = 0; ; attempt++) {
    const owner = recordedOwner(dataFolder);
    if (owner !== undefined && owner.pid !== process.pid) throw inUse(owner);
    const taken = await client.query<{ taken: boolean }>(`select pg_try_advisory_lock(${ownerLock}) as taken`);
    if (taken.rows[0]?.taken) return recordOwner(dataFolder, isPassing);
    const by = await ownerOf(client);
    // The server needs a moment to see that a killed process is gone.
    const leaving = by === undefined || !isAlive(by.pid);
    if (!leaving || attempt === 200) throw inUse(by);
    await sleep(50);
  }
}

/** The holder of the lock. */
export async function ownerOf(client: pg.Client): Promise<Owner | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `select application_name as name from pg_locks join pg_stat_activity using (pid)
      where locktype = 'advisory' and granted and objsubid = 1 and (classid::bigint << 32) | objid::bigint = ${ownerLock}`,
  );
  const name = rows[0]?.name ?? "";
  const pid = Number(/\d+$/.exec(name)?.[0]);
  return Number.isInteger(pid) ? { pid, isPassing: name === ownerName({ pid, isPassing: true }) } : undefined;
}

export async function ensureDatabase(client: pg.Client, name: string): Promise<void> {
  const { rowCount } = await client.query("select from pg_database where datname = $1", [name]);
  if (rowCount === 0) await client.query(`create database ${name}`);
}
