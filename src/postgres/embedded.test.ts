import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { silentLog } from "../base/log.ts";
import { type EmbeddedPostgres, findEmbedded, startEmbedded } from "./embedded.ts";
import { kill, processesIn, recordedPid } from "./postmaster.ts";
import { type Other, startOther } from "./testing.ts";

const root = process.getuid?.() === 0;
const nobody = 65_534;
// The tests start real processes, on a machine that may be busy.
vi.setConfig({ testTimeout: 90_000 });

/** A data folder that was started once. Copying it is faster than creating one for each test. */
let template: string;
let base: string;
let data: string;
let servers: EmbeddedPostgres[];
let others: Other[];
let pools: pg.Pool[];

beforeAll(async () => {
  template = mkdtempSync(join(tmpdir(), "ph-"));
  chmodSync(template, 0o755);
  const server = await startEmbedded({ dataFolder: join(template, "data"), log: silentLog });
  await server.stop();
});
afterAll(() => rmSync(template, { recursive: true }));

function copyTemplate(): void {
  mkdirSync(data, { recursive: true });
  execFileSync("cp", ["-a", join(template, "data", "pg"), data]);
}

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "ph-"));
  chmodSync(base, 0o755);
  data = join(base, "data");
  servers = [];
  others = [];
  pools = [];
});

afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await Promise.all(servers.map((server) => server.stop()));
  await Promise.all(others.map((other) => other.kill()));
  const left = recordedPid(join(data, "pg"));
  if (left !== undefined && processesIn(join(data, "pg"))?.includes(left)) kill(left, "SIGKILL");
  rmSync(base, { recursive: true, maxRetries: 10 });
});

async function start(dataFolder = data): Promise<EmbeddedPostgres> {
  const server = await startEmbedded({ dataFolder, log: silentLog });
  servers.push(server);
  return server;
}

function other(dataFolder = data, identity = {}): Other {
  const process = startOther(dataFolder, identity);
  others.push(process);
  return process;
}

function poolOf({ connection }: Pick<EmbeddedPostgres, "connection">): pg.Pool {
  const pool = new pg.Pool({ ...connection, max: 8 });
  pool.on("error", () => {});
  pools.push(pool);
  return pool;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 25_000; !(await condition()); await sleep(20)) {
    if (Date.now() > end) throw new Error("the condition did not come true in 25 seconds");
  }
}

test("starts on an empty folder, keeps what was written, stops, and starts again", async () => {
  expect(await findEmbedded(data)).toBeUndefined();
  const first = await start();
  const pool = poolOf(first);
  await pool.query("create table t (n int)");
  await pool.query("insert into t values (1)");
  const { rows } = await pool.query(
    "select current_setting('fsync') as fsync, current_setting('full_page_writes') as pages, current_setting('jit') as jit",
  );
  expect(rows).toEqual([{ fsync: "on", pages: "on", jit: "off" }]);
  expect(await findEmbedded(data)).toEqual(first.connection);
  if (root) expect(statSync(join(data, "pg"))).toMatchObject({ uid: nobody });
  expect(statSync(join(data, "run")).mode & 0o777).toBe(0o700);

  await pools.pop()?.end();
  await first.stop();
  expect(await findEmbedded(data)).toBeUndefined();
  expect(processesIn(join(data, "pg"))).toEqual([]);

  const second = await start();
  expect(second.connection).toEqual(first.connection);
  expect((await poolOf(second).query("select n from t")).rows).toEqual([{ n: 1 }]);
});

test("a kill -9 of the server under writers loses nothing acknowledged, and the server is restarted", async () => {
  copyTemplate();
  const server = await start();
  const pool = poolOf(server);
  await pool.query("create table t (n int primary key)");
  const exits: unknown[] = [];
  server.onExit((info) => exits.push(info));

  const acknowledged: number[] = [];
  let next = 0;
  let writing = true;
  const write = async () => {
    while (writing) {
      const n = next++;
      const done = await pool.query("insert into t values ($1)", [n]).catch(() => sleep(10));
      if (done) acknowledged.push(n);
    }
  };
  const writers = [write(), write(), write(), write()];
  for (let round = 0; round < 2; round++) {
    const before = acknowledged.length;
    await until(() => acknowledged.length > before + 50);
    const { pid } = server;
    process.kill(pid, "SIGKILL");
    await until(() => server.pid !== 0 && server.pid !== pid);
  }
  const before = acknowledged.length;
  await until(() => acknowledged.length > before + 50);
  writing = false;
  await Promise.all(writers);

  const { rows } = await pool.query<{ n: number }>("select n from t");
  const found = new Set(rows.map((row) => row.n));
  expect(acknowledged.filter((n) => !found.has(n))).toEqual([]);
  expect(exits).toEqual([
    { code: null, signal: "SIGKILL" },
    { code: null, signal: "SIGKILL" },
  ]);
});

test("after a kill -9 of one backend, which drops all connections, this process still owns the folder", async () => {
  copyTemplate();
  const server = await start();
  const pool = poolOf(server);
  const { rows } = await pool.query("select pid from pg_stat_activity where application_name like 'posthorn owner%'");
  process.kill(rows[0].pid, "SIGKILL");
  // Asked at once, while the lock may be free.
  expect(await other().outcome).toMatchObject({ error: expect.stringContaining(`(pid ${process.pid})`) });
  await until(() =>
    pool
      .query("select from pg_locks where locktype = 'advisory'")
      .then((result) => result.rowCount === 1)
      .catch(() => false),
  );
  expect(await other().outcome).toMatchObject({ error: expect.stringContaining(`(pid ${process.pid})`) });
});

test("after a kill -9 of the process, the next one takes over the server, and restarts it when it dies", async () => {
  copyTemplate();
  const killed = other();
  const outcome = await killed.outcome;
  await killed.kill();
  const server = await start();
  expect(outcome).toEqual({ ready: server.pid });

  const exits: unknown[] = [];
  server.onExit((info) => exits.push(info));
  const { pid } = server;
  process.kill(pid, "SIGKILL");
  await until(() => server.pid !== 0 && server.pid !== pid);
  expect(exits).toEqual([{ code: null, signal: null }]);
  await poolOf(server).query("select 1");
});

test("after a kill -9 of process and server, with a backend still busy, the next start clears up", async () => {
  copyTemplate();
  const killed = other();
  const outcome = await killed.outcome;
  if (!("ready" in outcome)) throw new Error(outcome.error);
  const connection = await findEmbedded(data);
  if (!connection) throw new Error("not running");
  const client = new pg.Client(connection);
  client.on("error", () => {});
  await client.connect();
  client.query("select count(*) from generate_series(1, 1e12::bigint)").catch(() => {});
  await sleep(100);
  await killed.kill();
  process.kill(outcome.ready, "SIGKILL");
  const server = await start();
  await poolOf(server).query("select 1");
  expect(processesIn(join(data, "pg"))).not.toContain(outcome.ready);
});

test("of three starts at once, one gets the folder and the others name its pid", async () => {
  const three = [other(), other(), other()];
  const outcomes = await Promise.all(three.map((process) => process.outcome));
  const owner = outcomes.findIndex((outcome) => "ready" in outcome);
  const refused = outcomes.filter((_, index) => index !== owner);
  expect(refused).toEqual([
    { name: "InUseError", error: `${data} is in use by another posthorn (pid ${three[owner]?.pid})` },
    { name: "InUseError", error: `${data} is in use by another posthorn (pid ${three[owner]?.pid})` },
  ]);
  // Others may connect while the owner runs, and may take the folder once it stops.
  const connection = await findEmbedded(data);
  await poolOf({
    connection:
      connection ??
      (() => {
        throw new Error("not running");
      })(),
  }).query("select 1");
  await pools.pop()?.end();
  await three[owner]?.stop();
  await start();
});

test("a data folder with a path too long for a socket gets a short socket folder, which is remembered", async () => {
  data = join(base, "deep".repeat(30), "data");
  copyTemplate();
  const server = await start();
  const { host } = server.connection;
  expect(Buffer.byteLength(`${host}/.s.PGSQL.5432`)).toBeLessThan(100);
  expect(statSync(host).mode & 0o777).toBe(0o700);
  expect(await findEmbedded(data)).toEqual(server.connection);
  await server.stop();
  expect((await start()).connection.host).toBe(host);
  await servers.pop()?.stop();
  rmSync(host, { recursive: true });
});

test.runIf(root)("a short socket folder that another user created first is not used", async () => {
  data = join(base, "deep".repeat(30), "data");
  copyTemplate();
  const name = `posthorn-${createHash("sha256").update(data).digest("hex").slice(0, 12)}`;
  const squatted = join(tmpdir(), name);
  mkdirSync(squatted, { mode: 0o777 });
  chownSync(squatted, 1, 1);
  const { host } = (await start()).connection;
  expect(host).toMatch(new RegExp(`/${name}-.{6}$`));
  await servers.pop()?.stop();
  for (const folder of [squatted, host]) rmSync(folder, { recursive: true });
});

test.runIf(root)("a normal user can start the server, and root can start it on that user's folder", async () => {
  mkdirSync(data);
  chownSync(data, nobody, nobody);
  chmodSync(data, 0o700);
  const user = other(data, { uid: nobody, gid: nobody });
  expect(await user.outcome).toMatchObject({ ready: expect.any(Number) });
  expect(await findEmbedded(data)).toBeDefined();
  await user.stop();
  await start();
});

test.runIf(root)("a normal user is told who owns the folder", async () => {
  copyTemplate();
  const { outcome } = other(data, { uid: 1, gid: 1 });
  expect(await outcome).toMatchObject({
    name: "StartError",
    error: expect.stringContaining("belongs to uid 65534 but this process runs as uid 1: start as root"),
  });
  // That user owns the database, but not the folders beside it.
  await start();
  await servers.pop()?.stop();
  expect(await other(data, { uid: nobody, gid: nobody }).outcome).toMatchObject({
    error: expect.stringContaining(
      `${join(data, "lib")} belongs to uid 0 but this process runs as uid 65534: start as root`,
    ),
  });
});

test.runIf(root)("a normal user is told which folder is closed, whether or not the data folder is there", async () => {
  const refused = async (folder: string) => {
    const { outcome } = other(folder, { uid: nobody, gid: nobody });
    expect(await outcome).toEqual({
      name: "StartError",
      error:
        `this process runs as uid ${nobody}, which may not enter ${base} (mode 0700) on the way to ${folder}: start as its owner or as root, ` +
        `run "chmod o+x ${base}", or choose a data folder elsewhere with --data`,
    });
  };
  chmodSync(base, 0o700);
  await refused(data);
  await refused(join(data, "deeper"));
  copyTemplate();
  await refused(data);
  const link = `${base}-link`;
  symlinkSync(data, link);
  onTestFinished(() => rmSync(link));
  await refused(link);
  expect(readdirSync(data)).toEqual(["pg"]);
});

test.runIf(root)("for root, a parent folder that the database's user may not enter is no obstacle", async () => {
  chmodSync(base, 0o700);
  const server = await start();
  expect((await poolOf(server).query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  chmodSync(base, 0o711);
});

test.runIf(root)("without setpriv, the error names the closed folder and the fix", async () => {
  chmodSync(base, 0o700);
  vi.stubEnv("PATH", "/nonexistent");
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(start()).rejects.toThrow(
    `Postgres runs as the user nobody, which may not enter ${base} (mode 0700) on the way to ${data}: ` +
      `run "chmod o+x ${base}", or choose a data folder elsewhere, such as --data /var/lib/posthorn`,
  );
});

test("a recorded pid that now belongs to another program does not stop the start", async () => {
  copyTemplate();
  const identity = root ? { uid: nobody, gid: nobody } : {};
  const stranger = spawn("sleep", ["60"], { cwd: "/", stdio: "ignore", ...identity });
  await once(stranger, "spawn");
  const file = join(data, "pg", "postmaster.pid");
  writeFileSync(file, `${stranger.pid}\n${join(data, "pg")}\n0\n5432\n${join(data, "run")}\n\n0 0\nready\n`);
  if (root) chownSync(file, nobody, nobody);
  const server = await start();
  expect(server.pid).not.toBe(stranger.pid);
  stranger.kill();
});

test("a server's lock file that was never written does not stop the start", async () => {
  await (await start()).stop();
  writeFileSync(join(data, "pg", "postmaster.pid"), "");
  await poolOf(await start()).query("select 1");
});

test("a start that fails says why in one line", async () => {
  copyTemplate();
  writeFileSync(join(data, "pg", "postgresql.auto.conf"), "shared_buffers = 'many'\n");
  await expect(start()).rejects.toThrow(
    /^Postgres did not start: configuration file .*auto.conf" contains errors \(see .*postgres\.log\)$/,
  );

  writeFileSync(join(data, "pg", "PG_VERSION"), "15\n");
  await expect(start()).rejects.toThrow("was made by Postgres 15 and this is 18");
  expect(existsSync(join(data, "log", "postgres.log"))).toBe(true);
  expect(readFileSync(join(data, "pg", "PG_VERSION"), "utf8")).toBe("15\n");
});

test("a process that was stopped while another took its folder ends instead of running a second server", async () => {
  copyTemplate();
  const sleeper = other();
  const outcome = await sleeper.outcome;
  if (!("ready" in outcome)) throw new Error(outcome.error);
  process.kill(sleeper.pid, "SIGSTOP");
  process.kill(outcome.ready, "SIGKILL");
  const server = await start();
  process.kill(sleeper.pid, "SIGCONT");
  expect(await sleeper.exit).toBe(1);
  await poolOf(server).query("select 1");
});

test("stop does not wait for open transactions and busy statements", async () => {
  copyTemplate();
  const server = await start();
  const pool = poolOf(server);
  const open = await pool.connect();
  open.on("error", () => {});
  await open.query("begin");
  const busy = pool.query("select pg_sleep(60)").catch((error: Error) => error);
  await sleep(100);
  const began = Date.now();
  await Promise.all([server.stop(), server.stop()]);
  expect(Date.now() - began).toBeLessThan(5_000);
  expect(await busy).toBeInstanceOf(Error);
  expect(server.pid).toBe(0);
  open.release(true);
});
