import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createTestAccount, createTestStore, whereItLies } from "../../../test/support/postgres.ts";
import { tripsOf } from "../../../test/support/trips.ts";
import { silentLog } from "../../base/log.ts";
import { methods } from "../../jmap/methods.ts";
import { Kind } from "./change.ts";
import { Database } from "./database.ts";
import { AccountMissing, CommitError } from "./errors.ts";
import { unprepared } from "./sql.ts";
import { decodeState } from "./state.ts";
import { type StateChange, Store, type Tx } from "./store.ts";

/** Waiting writes share a commit, however slow the machine. */
const store = await createTestStore({ maxFoldMs: 60_000 });
const rename = unprepared("/* test */ UPDATE mailbox SET name = $3 WHERE user_id = $1 AND role = $2");
const names = unprepared<{ name: string }>("/* test */ SELECT name FROM mailbox WHERE user_id = $1 ORDER BY id");

/** Work that awaits `passed` goes on after `open`. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}

/** Starts `works` while another write is under way, so that they share a commit. */
async function together<T>(account: number, works: ((tx: Tx) => Promise<T>)[], writer = store): Promise<Promise<T>[]> {
  const first = gate();
  const writing = writer.write(account, "server", () => first.passed);
  const writes = works.map((work) => writer.write(account, "server", work));
  for (const write of writes) write.catch(() => {});
  first.open();
  await writing;
  return writes;
}

const renamed = (role: string, name: string) => async (tx: Tx) => {
  await tx.run(rename, [tx.accountId, role, name]);
  return tx.modseq;
};

const settled = async (promise: Promise<unknown>) =>
  Promise.race([promise.then(() => true), new Promise((resolve) => setTimeout(resolve, 50)).then(() => false)]);

async function client() {
  const account = await createTestAccount(store);
  const jmap = new TestClient(methods, testServices(store), testLogin([account]));
  const { list, state } = await jmap.call("Mailbox/get");
  return { jmap, account, ids: (list as { id: string }[]).map(({ id }) => id), state: state as string };
}

test("concurrent writes of one account share commits, and each has its own states", async () => {
  const { jmap, ids, state } = await client();
  const told: StateChange[] = [];
  store.onCommit = (change) => told.push(change);
  const set = (n: number) => jmap.call("Mailbox/set", { update: { [ids[n % ids.length]!]: { sortOrder: n + 100 } } });
  const answers: Record<string, unknown>[] = [];
  const trips = await tripsOf(async () => {
    answers.push(...(await Promise.all(Array.from({ length: 40 }, (_, n) => set(n)))));
  });
  const modseq = ({ newState }: Record<string, unknown>) => decodeState(newState as string)!.modseq;
  const inOrder = answers.toSorted((a, b) => modseq(a) - modseq(b));
  expect(inOrder.map(({ oldState }) => oldState)).toEqual([state, ...inOrder.slice(0, -1).map((one) => one.newState)]);
  const commits = trips.flat().filter((text) => text === "COMMIT").length;
  // The first write runs alone, then 32 share a commit, then 7.
  expect(commits).toBe(3);
  expect(told).toHaveLength(commits);
  expect(told.at(-1)!.changed.Mailbox).toBe(inOrder.at(-1)!.newState);
});

test("a single write uses no savepoint", async () => {
  const { account } = await client();
  const trips = await tripsOf(() => store.write(account, "server", renamed("inbox", "Letters")));
  expect(trips.flat().filter((text) => /SAVEPOINT/.test(text))).toEqual([]);
});

test("of several writes with the same ifInState, one succeeds", async () => {
  const { jmap, ids, state } = await client();
  const set = (n: number) =>
    jmap.call("Mailbox/set", { ifInState: state, update: { [ids[0]!]: { sortOrder: n + 100 } } });
  const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => set(n)));
  expect(answers.filter(({ type }) => type === "stateMismatch")).toHaveLength(7);
  const { list } = await jmap.call("Mailbox/get", { ids: [ids[0]!] });
  const done = answers.findIndex(({ updated }) => updated);
  expect(list).toMatchObject([{ sortOrder: done + 100 }]);
});

test("a failing write fails alone, also when a statement fails that nobody awaits", async () => {
  const { account } = await client();
  const writes = await together<unknown>(account, [
    renamed("inbox", "A"),
    async (tx) => {
      tx.send(rename, [tx.accountId, "drafts", "never"]);
      throw new Error("of its own");
    },
    async (tx) => tx.send(rename, [tx.accountId, "drafts", "A"]),
    renamed("sent", "C"),
  ]);
  const outcomes = await Promise.allSettled(writes);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
  expect(outcomes[1]).toMatchObject({ reason: { message: "of its own" } });
  expect(outcomes[2]).toMatchObject({
    reason: { code: "23505", message: expect.stringContaining("mailbox_sibling_name") },
  });
  const rows = await store.reader(account, "server").run(names, [account]);
  expect(rows.map(({ name }) => name)).toEqual(["A", "Drafts", "C", "Archive", "Junk", "Trash"]);
});

test("a write fails whose sent statement failed before it ended, and those before and after it are kept", async () => {
  const { account } = await client();
  const writes = await together<unknown>(account, [
    renamed("inbox", "A"),
    async (tx) => {
      tx.send(rename, [tx.accountId, "drafts", "A"]);
      await tx.run(names, [tx.accountId]).catch(() => {});
    },
    renamed("sent", "C"),
  ]);
  const outcomes = await Promise.allSettled(writes);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(outcomes[1]).toMatchObject({
    reason: { code: "23505", message: expect.stringContaining("mailbox_sibling_name") },
  });
  const rows = await store.reader(account, "server").run(names, [account]);
  expect(rows.map(({ name }) => name)).toEqual(["A", "Drafts", "C", "Archive", "Junk", "Trash"]);
});

test("each write has its own ids and modseqs", async () => {
  const { account } = await client();
  const take = async (tx: Tx) => ({ modseq: tx.modseq, ids: await tx.newIds(3) });
  const taken = await Promise.all(await together(account, [take, take, take]));
  expect(new Set(taken.flatMap(({ ids }) => ids)).size).toBe(9);
  expect(taken.map(({ modseq }) => modseq - taken[0]!.modseq)).toEqual([0, 1, 2]);
});

test("no write is answered before the shared commit", async () => {
  const { account } = await client();
  const second = gate();
  const [one, two] = await together<unknown>(account, [renamed("inbox", "A"), () => second.passed]);
  expect(await settled(one!)).toBe(false);
  second.open();
  await Promise.all([one, two]);
});

test("a write whose turn comes 5 ms after the first joins the next commit", async () => {
  const hasty = new Store({ database: store.database, clock: store.clock, log: store.log });
  const account = await createTestAccount(hasty);
  const second = gate();
  const slow = () => new Promise((resolve) => setTimeout(resolve, 20));
  const [one, two] = await together<unknown>(account, [slow, () => second.passed], hasty);
  expect(await settled(one!)).toBe(true);
  second.open();
  await two;
});

test("no write joins one that removes the account", async () => {
  const { account } = await client();
  const remove = async (tx: Tx) => {
    for (const table of ["mailbox", "identity", "account"]) {
      await tx.run(unprepared(`/* test */ DELETE FROM ${table} WHERE user_id = $1`), [tx.accountId]);
    }
  };
  const first = gate();
  const writing = store.write(account, "server", () => first.passed);
  const removal = store.write(account, "server", remove, { isLast: true });
  const after = [renamed("inbox", "A"), renamed("sent", "C")].map((work) => store.write(account, "server", work));
  first.open();
  await writing;
  const [removed, ...refused] = await Promise.allSettled([removal, ...after]);
  expect(removed!.status).toBe("fulfilled");
  expect(refused.map((one) => "reason" in one && one.reason instanceof AccountMissing)).toEqual([true, true]);
});

test("an account that is gone is asked for twice, however many writes wait for it, and all of them fail", async () => {
  const writes = Array.from({ length: 40 }, () => store.write(999_999, "server", async () => {}));
  const outcomes: PromiseSettledResult<void>[] = [];
  const trips = await tripsOf(async () => outcomes.push(...(await Promise.allSettled(writes))));
  expect(outcomes.every((one) => "reason" in one && one.reason instanceof AccountMissing)).toBe(true);
  expect(trips.flat().filter((text) => text.startsWith("BEGIN"))).toHaveLength(2);
});

test("when the database is lost for longer than a caller waits, all waiting writes fail at once", async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const database = new Database({ connectionString: `postgres://nobody@127.0.0.1:${port}/none` }, silentLog);
  let minute = 0;
  const cut = new Store({ database, clock: { now: () => new Date(60_000 * minute++) }, log: silentLog });
  const writes = Array.from({ length: 40 }, () => cut.write(1, "server", async () => {}));
  const outcomes = await Promise.allSettled(writes);
  expect(outcomes.map(({ status }) => status)).toEqual(writes.map(() => "rejected"));
  // One for the first write, one that asks whether the server is there.
  expect(connections).toBe(2);
  await database.close();
  server.close();
});

test("a write that is committed is done, whatever becomes of the news of it", async () => {
  const { database, clock } = store;
  const account = await createTestAccount(store);
  const spoken: unknown[] = [];
  const log = { ...silentLog, error: (...said: unknown[]) => spoken.push(said) };
  const onCommit = () => {
    throw new Error("nobody listens");
  };
  const mute = new Store({ database, clock, log, onCommit });
  const change = async (tx: Tx) => {
    tx.changed({ type: "Mailbox", id: 1, kind: Kind.properties });
    return renamed("inbox", `at ${tx.modseq}`)(tx);
  };
  const first = await mute.write(account, "server", change);
  expect(await mute.write(account, "server", change)).toBe(first + 1);
  expect(spoken).toHaveLength(2);
});

test("work after a commit can't spoil its answer, nor those of others; what a savepoint took back is not done", async () => {
  const account = await createTestAccount(store);
  const spoken: unknown[] = [];
  const told: StateChange[] = [];
  const log = { ...silentLog, error: (...said: unknown[]) => spoken.push(said) };
  const { database, clock } = store;
  const loud = new Store({ database, clock, log, maxFoldMs: 60_000, onCommit: (change) => told.push(change) });
  const done: string[] = [];
  const failing = async (tx: Tx) => {
    tx.afterCommit(() => {
      throw new Error("it fails");
    });
    tx.afterCommit(() => done.push("later"));
    return renamed("inbox", "first")(tx);
  };
  const other = async (tx: Tx) => {
    const undone = async () => {
      tx.afterCommit(() => done.push("undone"));
      throw new Error("taken back");
    };
    await tx.savepoint(undone).catch(() => {});
    tx.afterCommit(() => done.push("other"));
    tx.changed({ type: "Mailbox", id: 1, kind: Kind.properties });
    return renamed("sent", "second")(tx);
  };
  const [first, second] = await Promise.all(await together(account, [failing, other], loud));
  expect(second).toBe(first! + 1);
  expect(done).toEqual(["later", "other"]);
  expect(spoken).toHaveLength(1);
  expect(told).toMatchObject([{ accountId: account, changed: { Mailbox: expect.any(String) } }]);
});

const backend = unprepared<{ pid: number }>("SELECT pg_backend_pid() AS pid");
const end = unprepared("SELECT pg_terminate_backend($1::integer, 1000::bigint)");

test("all writes run again when the connection is lost", async () => {
  const { account } = await client();
  let runs = 0;
  const cut = async (tx: Tx) => {
    const [row] = await tx.run(backend);
    if (runs++ === 0) await store.database.run(end, [row!.pid]);
    await renamed("sent", "B")(tx);
  };
  await Promise.all(await together<unknown>(account, [renamed("inbox", "A"), cut, renamed("junk", "C")]));
  expect(runs).toBe(2);
  const rows = await store.reader(account, "server").run(names, [account]);
  expect(rows.map(({ name }) => name)).toEqual(["A", "Drafts", "B", "Archive", "C", "Trash"]);
});

test("an unknown outcome of the commit is reported to all its writes", async () => {
  const { account } = await client();
  await whereItLies(store.database, "mailbox", [
    `CREATE OR REPLACE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN IF NEW.name = ''cut'' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL; END'`,
    `CREATE CONSTRAINT TRIGGER cut AFTER UPDATE ON %s DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION cut()`,
  ]);
  const mismatch = async (tx: Tx) => {
    await renamed("junk", "D")(tx);
    throw new Error("judged by what may not be");
  };
  const works = [renamed("inbox", "A"), renamed("sent", "cut"), mismatch];
  const outcomes = await Promise.allSettled(await together<unknown>(account, works));
  expect(outcomes.map((outcome) => "reason" in outcome && outcome.reason instanceof CommitError)).toEqual(
    works.map(() => true),
  );
  const rows = await store.reader(account, "server").run(names, [account]);
  expect(rows[0]!.name).toBe("Inbox");
});
