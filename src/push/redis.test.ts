import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { carrierContract } from "../../test/support/contracts/carrier.ts";
import { until } from "../../test/support/ports.ts";
import { createTestAccount, createTestDatabase } from "../../test/support/postgres.ts";
import { linkTo, slotsOf, startRedis, startRedisCluster } from "../../test/support/redis.ts";
import { type RedisServer, whyNoRedis } from "../../test/support/redis-server.ts";
import { systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import { slotOf } from "../redis/slot.ts";
import { Kind } from "../store/core/change.ts";
import { Store } from "../store/core/store.ts";
import { ProcessBus } from "./bus.ts";
import { RedisCarrier } from "./redis.ts";
import { chooseTypes, type StateChange } from "./states.ts";
import { Subscriber } from "./subscriber.ts";

const log = silentLog;
/** The contract is about what arrives, not about how soon. */
const patient = { maxWaitMs: 5_000 };
let prefixes = 0;
const newPrefix = () => `push${process.pid}.${++prefixes}:`;

describe.skipIf(whyNoRedis)("RedisCarrier", () => {
  describe("in one Redis", async () => {
    const server = whyNoRedis ? undefined! : await startRedis();
    const prefix = newPrefix();
    carrierContract(() => new RedisCarrier({ link: linkTo(server, { ...patient, prefix }), log }));
  });

  describe("in a Cluster", async () => {
    const servers = whyNoRedis ? [] : await startRedisCluster();
    const prefix = newPrefix();
    carrierContract(() => new RedisCarrier({ link: linkTo(servers, { ...patient, prefix }), log }));
  });
});

/** Processes on one database and one Redis, and clients that count what they are pushed. */
describe.skipIf(whyNoRedis)("pushes go on", async () => {
  const { database } = await createTestDatabase();
  const buses: ProcessBus[] = [];
  afterEach(() => Promise.all(buses.splice(0).map((bus) => bus.close())));

  async function startProcess(servers: RedisServer | RedisServer[], prefix: string, sweepIntervalMs = 60_000) {
    const store = new Store({ database, clock: systemClock, log });
    const carrier = new RedisCarrier({ link: linkTo(servers, { prefix }), log });
    const bus = new ProcessBus({ store, log, carriers: [carrier], sweepIntervalMs });
    store.onCommit = (change) => bus.publish(change);
    await bus.start();
    buses.push(bus);
    return { store, bus };
  }

  const change = (store: Store, accountId: number) =>
    store.write(accountId, "server", async (tx) => tx.changed({ type: "Email", id: 1, kind: Kind.properties }));

  /** A client of an account: the newest state that it was pushed, and how many times. */
  async function client(bus: ProcessBus, accountId: number) {
    const told = { state: "", count: 0 };
    const send = ({ changed }: StateChange) => {
      [told.state] = Object.values(changed).map(({ Email = "" }) => Email) as [string];
      told.count++;
      return undefined;
    };
    const options = { bus, accountIds: [accountId], types: chooseTypes(["Email"]), pushState: null, send };
    await new Subscriber(options).start();
    return told;
  }

  async function world(servers: RedisServer | RedisServer[], accounts: number, sweepIntervalMs?: number) {
    const prefix = newPrefix();
    const here = await startProcess(servers, prefix);
    const there = await startProcess(servers, prefix, sweepIntervalMs);
    const ids = await Promise.all(Array.from({ length: accounts }, () => createTestAccount(here.store)));
    const clients = await Promise.all(ids.map((id) => client(there.bus, id)));
    const changes = async () => {
      for (const id of ids) await change(here.store, id);
    };
    /** Changes each account, and resolves when all clients know. */
    const round = async (timeoutMs = 10_000) => {
      await changes();
      const states = await Promise.all(ids.map((id) => here.store.reader(id, "server").state("Email")));
      await until("all are told", () => clients.every(({ state }, at) => state === states[at]), {
        timeoutMs,
        everyMs: 2,
      });
    };
    return { here, there, ids, clients, changes, round };
  }

  test("a change is told once, and only to processes with a subscriber of the account", async () => {
    const server = await startRedis();
    const { here, ids, clients, round } = await world(server, 3);
    await round();
    await round();
    expect(clients.map(({ count }) => count)).toEqual([2, 2, 2]);
    const channels = server.cli("pubsub", "shardchannels").split("\n");
    expect(channels.filter((name) => ids.some((id) => name.endsWith(`}${id}`)))).toHaveLength(3);
    const before = Number(/total_net_output_bytes:(\d+)/.exec(server.cli("info", "stats"))![1]);
    const stranger = await createTestAccount(here.store);
    for (let count = 0; count < 10; count++) await change(here.store, stranger);
    await sleep(50);
    const after = Number(/total_net_output_bytes:(\d+)/.exec(server.cli("info", "stats"))![1]);
    expect(after - before).toBeLessThan(6_000);
  });

  test("though Redis is killed and starts again, empty, while changes are made", async () => {
    const server = await startRedis();
    const { round, changes } = await world(server, 5);
    await round();
    let isOver = false;
    const making = (async () => {
      while (!isOver) await changes();
    })();
    await server.stop();
    await sleep(300);
    await server.start();
    await sleep(300);
    isOver = true;
    await making;
    await round();
    await round(2_000);
  });

  test("though Redis stays away: the next comparison finds what changed", async () => {
    const server = await startRedis();
    const { round } = await world(server, 5, 300);
    await round();
    await server.stop();
    await round();
    await round();
  });

  test("though Redis hangs", async () => {
    const server = await startRedis();
    const { round } = await world(server, 5, 300);
    await round();
    server.hang();
    await round();
    server.resume();
    await round();
  });

  test("while slots move to another node of a Cluster, and after a node has died", async () => {
    const servers = await startRedisCluster();
    const { round, ids } = await world(servers, 60, 5_000);
    await round();
    const [one, two] = servers as [RedisServer, RedisServer];
    const idOf = (server: RedisServer) => server.cli("cluster", "myid");
    const slots = new Set(ids.map((id) => Number(one.cli("cluster", "keyslot", `{${id % 1024}}`))));
    const moved = [...slots].filter(slotsOf(one));
    expect(moved.length).toBeGreaterThan(5);
    for (const slot of moved) {
      for (const server of servers) server.cli("cluster", "setslot", String(slot), "node", idOf(two));
    }
    await round();
    await round(2_000);
    await servers[2]!.stop();
    await round();
    await servers[2]!.start();
    await round();
  });

  test("while a node of a Cluster hangs: at once for the accounts of the others, and for all soon after", async () => {
    const servers = await startRedisCluster();
    const [hanging] = servers as [RedisServer];
    const { here, ids, clients, changes, round } = await world(servers, 30);
    await round();
    const isAffected = slotsOf(hanging);
    const others = ids.filter((id) => !isAffected(slotOf(String(id % 1_024))));
    expect(others.length).toBeGreaterThan(5);
    expect(others.length).toBeLessThan(ids.length - 3);
    const told = async (accounts: number[], timeoutMs: number) => {
      const states = await Promise.all(accounts.map((id) => here.store.reader(id, "server").state("Email")));
      const isTold = () => accounts.every((id, at) => clients[ids.indexOf(id)]!.state === states[at]);
      await until("they are told", isTold, { timeoutMs, everyMs: 2 });
    };
    hanging.hang();
    try {
      // A few batches wait for the node, half a second each; from then on it is not asked.
      await changes();
      await told(others, 3_000);
      for (let again = 0; again < 5; again++) {
        const begun = performance.now();
        for (const id of others) await change(here.store, id);
        await told(others, 3_000);
        if (again > 1) expect(performance.now() - begun).toBeLessThan(1_000);
      }
      // By now, connections that hang have been replaced.
      await sleep(11_000);
      await changes();
      await told(others, 1_000);
    } finally {
      hanging.resume();
    }
    const begun = performance.now();
    await told(ids, 10_000);
    await round(5_000);
    console.log(`a node of the Cluster is back: all were told after ${(performance.now() - begun).toFixed(0)} ms`);
  });
});
