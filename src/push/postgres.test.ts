import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/support/postgres.ts";
import { systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import { Kind, type TypeName } from "../store/core/change.ts";
import type { Database } from "../store/core/database.ts";
import { unprepared } from "../store/core/sql.ts";
import { Store } from "../store/core/store.ts";
import { bare } from "../store/core/unbound-tables.ts";
import { ProcessBus } from "./bus.ts";
import type { ChangeEvent } from "./carrier.ts";
import { PostgresCarrier } from "./postgres.ts";
import { chooseTypes, type StateChange } from "./states.ts";
import { Subscriber } from "./subscriber.ts";

let database: Database;
let connection: TestDatabase["connection"];
let statements: string[];
let processes: Process[];
const channel = "posthorn";
const patient = { timeout: 10_000 };

/** One process: a store and a bus on the database that all share. */
interface Process {
  store: Store;
  bus: ProcessBus;
}

function startProcess(options: { sweepIntervalMs?: number; presenceIntervalMs?: number } = {}): Process {
  const store = new Store({ database, clock: systemClock, log: silentLog });
  const { sweepIntervalMs = 60_000, presenceIntervalMs = 30_000 } = options;
  const carrier = new PostgresCarrier({
    database,
    connection,
    log: silentLog,
    channel,
    presenceIntervalMs,
  });
  const bus = new ProcessBus({ store, log: silentLog, carriers: [carrier], sweepIntervalMs });
  store.onCommit = (change) => bus.publish(change);
  processes.push({ store, bus });
  return { store, bus };
}

beforeAll(async () => {
  statements = [];
  ({ database, connection } = await createTestDatabase((text) => statements.push(text)));
  for (let id = 1; id <= 300; id++) await newAccount(id);
});

beforeEach(() => {
  processes = [];
  statements = [];
});

afterEach(async () => {
  await Promise.all(processes.map(({ bus }) => bus.close()));
});

const insertAccount = unprepared("INSERT INTO account (user_id, name, created_at) VALUES ($1, $2, now())");

async function newAccount(id: number): Promise<void> {
  await database.run(insertAccount, [id, `user${id}@example.org`]);
}

/** Changes objects of these types in a write, as clients' calls do. */
async function change(store: Store, accountId: number, ...types: TypeName[]): Promise<void> {
  await store.write(accountId, "server", async (tx) => {
    for (const type of types) tx.changed({ type, id: 1, kind: Kind.properties });
  });
}

/** Collects the events of accounts, except those found by comparing. */
function collect(bus: ProcessBus, ...accountIds: number[]): ChangeEvent[] {
  const events: ChangeEvent[] = [];
  bus.subscribe(accountIds, (event, swept) => {
    if (!swept) events.push(event);
  });
  return events;
}

async function listeners(): Promise<number[]> {
  const rows = await database.run(
    unprepared<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'posthorn listen' AND datname = current_database()",
    ),
  );
  return rows.map(({ pid }) => pid);
}

const notifications = () => statements.filter((text) => text.includes("pg_notify"));

describe("two buses on one database", () => {
  it("hear of each other's commits once, and of their own immediately", async () => {
    const [here, there] = [startProcess(), startProcess()];
    await Promise.all([here.bus.start(), there.bus.start()]);
    const [own, others] = [collect(here.bus, 1), collect(there.bus, 1)];
    await change(here.store, 1, "Email", "Mailbox");
    expect(own).toHaveLength(1);
    const [event] = own as [ChangeEvent];
    const changed = { Email: expect.any(String) as string, Mailbox: event.changed.Email };
    expect(event).toEqual({ accountId: 1, changed, committedAt: expect.any(Number) });
    expect(Math.abs(Date.now() - event.committedAt!)).toBeLessThan(1_000);
    expect(event.changed.Email).toBe(await here.store.reader(1, "server").state("Email"));
    await expect
      .poll(() => others.filter(({ changed }) => changed.Email === event.changed.Email), patient)
      .toHaveLength(1);
    await sleep(50);
    expect(own).toEqual([event]);
  });

  it("hear only of the accounts subscribed to", async () => {
    const [here, there] = [startProcess(), startProcess()];
    await there.bus.start();
    const events = collect(there.bus, 2);
    await change(here.store, 1, "Email");
    await change(here.store, 2, "Email");
    await expect.poll(() => events.length, patient).toBe(1);
    expect(events[0]?.accountId).toBe(2);
  });

  it("hear of a process that only sends, such as the command line, before it ends", async () => {
    const there = startProcess();
    await there.bus.start();
    const events = collect(there.bus, 3);
    const revoked: string[] = [];
    there.bus.onRevoked((credential) => revoked.push(credential));
    const cli = startProcess();
    await change(cli.store, 3, "Identity");
    cli.bus.publish({ credential: "ann@example.org" });
    await cli.bus.close();
    await expect.poll(() => [events.length, revoked], patient).toEqual([1, ["ann@example.org"]]);
  });

  it("send many changes in few statements, whatever their size in bytes", async () => {
    const [here, there] = [startProcess(), startProcess()];
    await Promise.all([here.bus.start(), there.bus.start()]);
    const accountIds = Array.from({ length: 300 }, (_, index) => index + 1);
    const events = collect(there.bus, ...accountIds);
    const modseq = 900_000_000_000;
    for (const accountId of accountIds) {
      for (let step = 0; step < 10; step++) {
        const state = `7-${modseq + step}`;
        here.bus.publish({ accountId, changed: { Email: state, Mailbox: state, Thread: state } });
      }
    }
    const last = `7-${modseq + 9}`;
    await expect.poll(() => events.filter(({ changed }) => changed.Email === last).length, patient).toBe(300);
    expect(events.length).toBe(300);
    expect(notifications().length).toBeLessThan(10);
  });

  it("bring a subscriber in the other process up to date by push and by push state", async () => {
    const [here, there] = [startProcess(), startProcess()];
    await there.bus.start();
    const sent: StateChange[] = [];
    const options = { bus: there.bus, accountIds: [4], types: chooseTypes(["Email"]) };
    const send = (message: StateChange) => {
      sent.push(message);
      return undefined;
    };
    const first = new Subscriber({ ...options, pushState: null, send });
    await first.start();
    await change(here.store, 4, "Email", "Mailbox");
    await expect.poll(() => sent.length, patient).toBe(1);
    expect(sent[0]?.changed).toEqual({ u4: { Email: await here.store.reader(4, "server").state("Email") } });
    first.close();
    await change(here.store, 4, "Email");
    const second = new Subscriber({ ...options, pushState: sent[0]?.pushState ?? "", send });
    await second.start();
    expect(sent[1]?.changed).toEqual({ u4: { Email: await here.store.reader(4, "server").state("Email") } });
    second.close();
  });

  it("push within milliseconds", async () => {
    const [here, there] = [startProcess(), startProcess()];
    await Promise.all([here.bus.start(), there.bus.start()]);
    let committed = 0;
    const times: number[] = [];
    there.bus.subscribe([5], (_event, swept) => {
      if (!swept) times.push(performance.now() - committed);
    });
    here.bus.subscribe([5], () => {
      committed = performance.now();
    });
    for (let index = 1; index <= 100; index++) {
      await change(here.store, 5, "Email");
      await expect.poll(() => times.length, { ...patient, interval: 1 }).toBe(index);
    }
    times.sort((a, b) => a - b);
    console.log(`commit to the other process: median ${times[50]?.toFixed(1)} ms, p95 ${times[95]?.toFixed(1)} ms`);
  });
});

describe("a process without others", () => {
  it("sends no notifications before another one comes and after it has gone", async () => {
    const here = startProcess();
    await here.bus.start();
    await sleep(2_100);
    statements = [];
    await change(here.store, 1, "Email");
    await sleep(30);
    expect(notifications()).toEqual([]);
    const there = startProcess();
    await there.bus.start();
    const events = collect(there.bus, 1);
    await sleep(100);
    await change(here.store, 1, "Email");
    await expect.poll(() => events.length, patient).toBe(1);
    await there.bus.close();
    await sleep(50);
    statements = [];
    await change(here.store, 1, "Email");
    await sleep(30);
    expect(notifications()).toEqual([]);
  });
});

describe("a lost event", () => {
  it("is found when the listening connection is back", async () => {
    const [here, there] = [startProcess(), startProcess()];
    await there.bus.start();
    const events: ChangeEvent[] = [];
    there.bus.subscribe([6], (event) => events.push(event));
    let reconnected = 0;
    there.bus.onReconnect(() => reconnected++);
    const kill = unprepared("SELECT pg_terminate_backend($1::integer, 1000::bigint)");
    for (const pid of await listeners()) await database.run(kill, [pid]);
    await here.store.write(6, "server", async (tx) => tx.changed({ type: "Thread", id: 1, kind: Kind.created }));
    const state = await here.store.reader(6, "server").state("Thread");
    await expect.poll(() => events.some(({ changed }) => changed.Thread === state), patient).toBe(true);
    expect(reconnected).toBeGreaterThan(0);
    await change(here.store, 6, "Mailbox");
    const later = await here.store.reader(6, "server").state("Mailbox");
    await expect.poll(() => events.some(({ changed }) => changed.Mailbox === later), patient).toBe(true);
  });

  it("is found once, by the periodic comparison", async () => {
    const there = startProcess({ sweepIntervalMs: 50 });
    await there.bus.start();
    const sent: StateChange[] = [];
    const subscriber = new Subscriber({
      bus: there.bus,
      accountIds: [7],
      types: chooseTypes(null),
      pushState: null,
      send: (message) => {
        sent.push(message);
        return undefined;
      },
    });
    await subscriber.start();
    await sleep(120);
    const silent = new Store({ database, clock: systemClock, log: silentLog });
    await change(silent, 7, "Email", "EmailDelivery");
    const state = await silent.reader(7, "server").state("Email");
    await expect
      .poll(() => sent.map(({ changed }) => changed), patient)
      .toEqual([{ u7: { Email: state, EmailDelivery: state } }]);
    await sleep(120);
    expect(sent).toHaveLength(1);
    subscriber.close();
  });

  it("is looked for with one small statement for each account while nothing happens", async () => {
    const there = startProcess({ sweepIntervalMs: 50 });
    collect(there.bus, 8, 9);
    await there.bus.start();
    await sleep(400);
    statements = [];
    await sleep(200);
    expect(statements.length).toBeGreaterThan(1);
    expect(new Set(statements.map(bare))).toEqual(new Set(["select epoch, modseq from account where user_id = $1"]));
  });
});

describe("a message that is not ours", () => {
  it.each([
    "",
    "nonsense",
    "null",
    "[]",
    '{"from":1}',
    '{"from":"x","changes":[{"accountId":1,"changed":{"Email":"no"}}]}',
  ])("%j changes nothing", async (payload) => {
    const [here, there] = [startProcess(), startProcess()];
    await there.bus.start();
    await sleep(50);
    const events = collect(there.bus, 10);
    await database.run(unprepared("SELECT pg_notify($1, $2)"), [channel, payload]);
    await change(here.store, 10, "Email");
    await expect.poll(() => events.filter(({ changed }) => changed.Email).length, patient).toBeGreaterThan(0);
  });
});

describe("a listener that throws", () => {
  it("does not make the write or other listeners fail", async () => {
    const { store, bus } = startProcess();
    bus.subscribe([11], () => {
      throw new Error("of no interest to the writer");
    });
    const events = collect(bus, 11);
    await change(store, 11, "Email");
    expect(events).toHaveLength(1);
  });
});
