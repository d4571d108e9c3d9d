import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { one } from "../conformance/client/client.ts";
import type { GetResult } from "../conformance/client/types.ts";
import type { Admin } from "../src/admin/admin.ts";
import type { ClusterStatus } from "../src/admin/cluster.ts";
import { isolateAccount, type Lodging, moveAccount } from "../src/admin/cluster-accounts.ts";
import type { Checked } from "../src/admin/cluster-check.ts";
import { drainNode, type MoveSum, rebalance, type Watch } from "../src/admin/cluster-moves.ts";
import { systemClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { addClusterCommands } from "../src/cli/commands/cluster.ts";
import type { ConnectionOptions } from "../src/store/core/connection-options.ts";
import { Database } from "../src/store/core/database.ts";
import { unprepared } from "../src/store/core/sql.ts";
import { Store } from "../src/store/core/store.ts";
import { testAdmin } from "./support/admin.ts";
import { isOnCitus } from "./support/citus.ts";
import type { CliResult } from "./support/commands.ts";
import { createPlainDatabase, urlOf } from "./support/postgres.ts";
import { startServer, type TestServer } from "./support/server.ts";

/** `posthorn cluster` beside a running server: on one Postgres, and on Citus where the tests run there. */
const password = "correct horse";
const ofCluster = ["add-node x.test", "drain-node x.test", "rebalance", "isolate-account a@x.test"];
let server: TestServer;

const run = (text: string): Promise<CliResult> => server.cli(["cluster", ...text.split(" ")]);

async function json<T>(text: string): Promise<T> {
  const { stdout, stderr } = await run(`${text} --json`);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

/** The name of a table, or null if there is none. */
async function find(connection: ConnectionOptions, table: string): Promise<string | null> {
  const database = new Database({ ...connection, max: 1 }, silentLog);
  const [row] = await database.run(
    unprepared<{ found: string | null }>("/* test */ SELECT to_regclass($1)::text AS found"),
    [table],
  );
  await database.close();
  return row!.found;
}

describe("on one Postgres", () => {
  beforeAll(async () => {
    server = await startServer({ isEmbedded: true });
    await server.addAccount("a@x.test", password);
  });
  afterAll(() => server?.dispose());

  test("status counts accounts and bytes", async () => {
    const { isCitus, servers } = await json<ClusterStatus>("status");
    expect(isCitus).toBe(false);
    expect(servers).toMatchObject([{ name: "database", role: "alone", trouble: null, standbys: [] }]);
    const { stdout } = await server.cli(["account", "list"]);
    expect(servers[0]!.accounts).toBe(stdout.trim().split("\n").length - 1);
    expect(servers[0]!.bytes).toBeGreaterThan(1e6);
    expect((await run("status")).stdout).toMatch(/^database +alone +well /m);
  });

  test("the database that comes with Posthorn passes the check", async () => {
    expect(await run("check")).toMatchObject({ code: 0, stdout: "All is well.\n" });
  });

  test("what moves accounts says that there is no Citus", async () => {
    const results = await Promise.all([...ofCluster, "move-account a@x.test x.test --dry-run"].map(run));
    for (const { code, stdout, stderr } of results) {
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(/^posthorn: the database is a plain Postgres: only Citus has nodes[^\n]*\n$/);
    }
  }, 30_000);

  test("each command has help with an example", () => {
    const program = new Command("posthorn");
    addClusterCommands(program);
    const [cluster] = program.commands as [Command];
    const names = ["status", "check", "add-node", "drain-node", "rebalance", "isolate-account", "move-account"];
    expect(cluster.commands.map((command) => command.name())).toEqual(names);
    for (const command of cluster.commands) {
      const parts: string[] = [];
      command.configureOutput({ writeOut: (part) => void parts.push(part) }).outputHelp();
      const text = parts.join("");
      expect(text).toContain(`\nExamples:\n  posthorn cluster ${command.name()}`);
      expect(text).toContain("--json");
    }
  });

  test("another Postgres without standbys fails the check, and its secret is not shown", async () => {
    const { database, connection } = await createPlainDatabase();
    await database.close();
    const url = urlOf(connection).replace(/\/\/(\w+)@/, "//$1:sesame@");
    const { code, stdout } = await server.cli(["cluster", "check", "--database-url", url]);
    expect(code).toBe(1);
    expect(stdout).toContain("FAULT database: synchronous_standby_names is empty");
    expect(stdout).toContain("warning: --database-url shows a secret");
    expect(stdout).not.toContain("sesame");
  });

  test("a database that was never migrated is not migrated by looking at it", async () => {
    const { database, connection } = await createPlainDatabase("empty");
    await database.close();
    const own = ["--database-url", urlOf(connection)];
    expect((await server.cli(["cluster", "status", ...own])).stderr).toContain("no tables of Posthorn yet");
    expect((await server.cli(["cluster", "check", ...own])).stdout).toContain("FAULT database");
    const tables = await Promise.all(["migration", "account"].map((table) => find(connection, table)));
    expect(tables).toEqual([null, null]);
  }, 30_000);
});

if (!isOnCitus) console.warn("cluster-command.test.ts: no CITUS_URL, so nothing was moved");

describe.runIf(isOnCitus)("on Citus", () => {
  const names = Array.from({ length: 12 }, (_, n) => `user${n}@cluster.test`);
  const [moved] = names as [string];
  let admin: Admin;

  beforeAll(async () => {
    server = await startServer();
    for (const name of names) await server.addAccount(name, password);
    const database = new Database({ connectionString: server.env.DATABASE_URL!, max: 4 }, silentLog);
    admin = testAdmin(new Store({ database, clock: systemClock, log: silentLog }));
  }, 120_000);
  afterAll(async () => {
    await admin?.store.database.close();
    await server?.dispose();
  });

  const workers = async () => (await json<ClusterStatus>("status")).servers.filter(({ role }) => role === "worker");
  const mailboxes = async () => {
    const client = await server.login(moved, password);
    return (await one<GetResult<{ id: string }>>(client, "Mailbox/get", { ids: null })).list;
  };

  test("status counts every account once, and says where tables lie", async () => {
    const { servers, everywhere, coordinatorOnly } = await json<ClusterStatus>("status");
    const { stdout } = await server.cli(["account", "list"]);
    expect(servers.reduce((sum, { accounts }) => sum + accounts, 0)).toBe(stdout.trim().split("\n").length - 1);
    expect(servers.map(({ role }) => role)).toEqual(["coordinator", ...servers.slice(1).map(() => "worker")]);
    expect(servers.every(({ trouble, isActive }) => trouble === null && isActive)).toBe(true);
    expect(everywhere).toEqual(["account_access", "address", "domain", "login", "setting"]);
    expect(coordinatorOnly).toEqual(["due", "incoming", "migration", "push_holder"]);
  });

  test("check finds nothing but what a cluster for tests lacks", async () => {
    const found = await json<Checked[]>("check");
    const expected = /synchronous_standby_names|node_conninfo|connections are in use/;
    expect(found.filter(({ problem }) => !expected.test(problem))).toEqual([]);
    expect(found.filter(({ problem }) => problem.startsWith("synchronous_standby_names"))).toHaveLength(
      (await json<ClusterStatus>("status")).servers.length,
    );
  });

  test("a server that is unfit is not added; a node is not added twice", async () => {
    const before = await workers();
    const refused = await run("add-node 127.0.0.1:1");
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("127.0.0.1:1 was not added:\n  it can't be asked"),
    });
    expect((await run(`add-node ${before[0]!.name}`)).stdout).toContain("is a node of this cluster, and has no fault");
    expect(await run("drain-node 127.0.0.1:1")).toMatchObject({ code: 1, stderr: expect.stringContaining("it has ") });
    expect((await workers()).map(({ name }) => name)).toEqual(before.map(({ name }) => name));
  });

  /** The commands give every process 35 s to learn of new places; here one second will do. */
  const watch: Watch = { follow: () => {}, signal: new AbortController().signal, settleMs: 1_000 };

  test("an account is given a shard of its own after a question, then moved; its mail stays", async () => {
    const before = await mailboxes();
    const lodging = await json<Lodging>(`isolate-account ${moved} --dry-run`);
    expect(lodging).toMatchObject({ login: moved, isAlone: false });
    expect(lodging.named).toHaveLength(Math.min(lodging.others, 20));
    const unasked = await run(`isolate-account ${moved}`);
    expect(unasked).toMatchObject({ code: 1, stderr: expect.stringContaining("confirm it with --yes") });

    const { splitMs } = await isolateAccount(admin, moved, watch);
    expect(splitMs).toBeGreaterThan(0);
    const alone = { node: lodging.node, isAlone: true, others: 0, by: null };
    expect(await json(`isolate-account ${moved} --dry-run`)).toMatchObject(alone);
    expect((await run(`isolate-account ${moved} --yes`)).stdout).toContain("has a shard of its own");

    const target = (await workers()).find(({ name }) => name !== lodging.node)!.name;
    const dry = await json(`move-account ${moved} ${target} --dry-run`);
    expect(dry).toMatchObject({ ...alone, to: target });
    expect(await moveAccount(admin, moved, target, watch)).toEqual({ splitMs: 0, hasMoved: true });
    expect((await run(`move-account ${moved} ${target}`)).stdout).toContain(`shard of its own on ${target}`);
    expect(await mailboxes()).toEqual(before);
    const { stdout } = await server.cli(["audit"]);
    for (const act of ["account.isolate", "account.move"]) expect(stdout.split(act)).toHaveLength(2);
  }, 120_000);

  test("an account that shares its shard is moved alone: its neighbours stay where they were", async () => {
    const other = names[1]!;
    const lodging = await json<Lodging>(`isolate-account ${other} --dry-run`);
    const target = (await workers()).find(({ name }) => name !== lodging.node)!.name;
    const others = async () => (await workers()).map(({ accounts }) => accounts);
    const before = await others();
    const { splitMs, hasMoved } = await moveAccount(admin, other, target, watch);
    expect({ hasMoved, hasWaited: splitMs > 0 }).toEqual({ hasMoved: true, hasWaited: true });
    expect(await json(`isolate-account ${other} --dry-run`)).toMatchObject({ node: target, isAlone: true });
    const after = await others();
    expect(after.reduce((sum, count, at) => sum + Math.abs(count - before[at]!), 0)).toBe(2);
  }, 120_000);

  test("a dry run of drain-node changes nothing; drained, the node holds no accounts, until it is taken back", async () => {
    const [first] = await workers();
    const name = first!.name;
    const moves = await json<MoveSum[]>(`drain-node ${name} --dry-run`);
    expect(moves.every(({ from, to }) => from === name && to !== name)).toBe(true);
    expect(moves.reduce((sum, { accounts }) => sum + accounts, 0)).toBe(first!.accounts);
    expect((await workers())[0]).toMatchObject({ name, takesShards: true, accounts: first!.accounts });

    expect(await drainNode(admin, name, watch)).toMatchObject({ state: "finished" });
    expect((await workers())[0]).toMatchObject({ name, takesShards: false, accounts: 0, shards: 0 });
    expect((await run(`drain-node ${name}`)).stdout).toContain("holds no accounts now");
    expect((await run(`move-account ${moved} ${name}`)).stderr).toContain("takes no accounts");
    expect((await run(`add-node ${name}`)).stdout).toContain(`Took back ${name}`);
    expect((await workers())[0]).toMatchObject({ name, takesShards: true });

    expect((await json<MoveSum[]>("rebalance --dry-run")).length).toBeGreaterThan(0);
    expect(await rebalance(admin, watch)).toMatchObject({ state: "finished" });
    expect((await workers())[0]!.shards).toBeGreaterThan(0);
    expect((await run("rebalance")).stdout).toContain("nothing moved");
    expect((await mailboxes()).length).toBeGreaterThan(0);
  }, 120_000);
});
