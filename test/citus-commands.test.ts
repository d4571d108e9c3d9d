import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fillInbox, inboxOf } from "../bench/fill.ts";
import { expected } from "../bench/mails.ts";
import { type Box, nextMail, scenarios } from "../bench/scenarios.ts";
import { connect, one } from "../conformance/client/client.ts";
import { deliver } from "../conformance/client/smtp.ts";
import type { GetResult, QueryResult, SetResult } from "../conformance/client/types.ts";
import { type JmapSocket, openWebSocket } from "../conformance/client/websocket.ts";
import { hashPassword } from "../src/auth/secrets.ts";
import { systemClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { type Running, serve } from "../src/cli/serve.ts";
import { load } from "../src/config/load.ts";
import { Database } from "../src/store/core/database.ts";
import { unprepared } from "../src/store/core/sql.ts";
import { Store } from "../src/store/core/store.ts";
import { addDomain, createAccount } from "../src/store/directory/directory.ts";
import { isOnCitus, nodesOf, onAllNodes } from "./support/citus.ts";
import { type CitusCost, costOnCitus, tellCommands } from "./support/citus-commands.ts";
import { type DnsServer, startDns } from "./support/dns.ts";
import { createTestDatabase } from "./support/postgres.ts";

/** A whole server on Citus in this process: what each thing that users do costs there. */
const address = (n: number) => `user${n}@here.test`;
const password = "correct horse";
const folder = mkdtempSync(join(tmpdir(), "posthorn-citus-"));
const costs: Record<string, CitusCost> = {};
let dns: DnsServer;
let running: Running;
let box: Box;
let database: Database;
let url: string;
let coordinator: number;
let smtp: { port: number; from: string; timeoutMs: number };

describe.runIf(isOnCitus)("on Citus", () => {
  beforeAll(async () => {
    const { connection } = await createTestDatabase();
    url = (connection as { connectionString: string }).connectionString;
    coordinator = Number(new URL(url).port);
    await onAllNodes(url, (name) => `ALTER DATABASE ${name} SET ${tellCommands}`);
    database = new Database({ connectionString: url, max: 2 }, silentLog);
    const store = new Store({ database, clock: systemClock, log: silentLog });
    await addDomain(store, { name: "here.test", dkimSelector: "s", dkimKey: "" });
    const passwordHash = await hashPassword(password);
    for (let n = 0; n < 11; n++) await createAccount(store, { address: address(n), passwordHash });

    dns = await startDns();
    const { config } = load(
      {
        POSTHORN_DATA: folder,
        DATABASE_URL: url,
        POSTHORN_HTTP: "127.0.0.1:0",
        POSTHORN_SMTP: "127.0.0.1:0",
        POSTHORN_METRICS: "",
        POSTHORN_DEMO: "false",
        POSTHORN_WEB: "off",
        // Without `worker`, whose sweeps would be counted.
        POSTHORN_ROLES: "http,push,smtp-in,smtp-out",
      },
      {},
    );
    const surroundings = { clock: systemClock, random: randomBytes, log: silentLog, resolver: dns.resolver() };
    running = await serve(config, surroundings);
    smtp = { port: Number(new URL(running.urls.smtp!).port), from: "a@remote.test", timeoutMs: 10_000 };
    const login = { url: running.urls.http!, user: address(0), password };
    await fillInbox(login, "citus", 60, () => {});
    const main = await connect(login);
    const inbox = await inboxOf(main);
    const query = { filter: { inMailbox: inbox.id }, sort: [{ property: "receivedAt", isAscending: false }] };
    const { ids } = await one<QueryResult>(main, "Email/query", query);
    box = { count: 60, owner: "citus", expected: expected(60), inbox: inbox.id, newest: ids, main };
  }, 120_000);

  afterAll(async () => {
    await running?.stop();
    await dns?.stop();
    await database?.close();
    rmSync(folder, { recursive: true, force: true });
    console.table(costs);
  });

  /** The cheapest of several runs, since the first ones open connections and prepare statements. */
  async function least(work: (n: number) => Promise<unknown>): Promise<CitusCost> {
    const runs: CitusCost[] = [];
    for (let n = 0; n < 4; n++) runs.push(await costOnCitus(coordinator, () => work(n)));
    const lowest = (what: keyof CitusCost) => Math.min(...runs.map((run) => run[what]));
    const highest = (what: keyof CitusCost) => Math.max(...runs.map((run) => run[what]));
    return {
      toCoordinator: lowest("toCoordinator"),
      toWorkers: lowest("toWorkers"),
      between: highest("between"),
      twoPhase: highest("twoPhase"),
      nodes: highest("nodes"),
    };
  }

  /** At most so many statements, each answered by the node that was asked: so none has a two-phase commit. */
  function expectCheap(name: string, cost: CitusCost, maxStatements: number): void {
    costs[name] = cost;
    expect(cost).toMatchObject({ between: 0, twoPhase: 0, nodes: 1 });
    expect(cost.toWorkers).toBeGreaterThan(0);
    expect(cost.toCoordinator + cost.toWorkers).toBeLessThanOrEqual(maxStatements);
  }

  test("a write to what lies on all nodes shows as commands between them, with a two-phase commit", async () => {
    const write = unprepared("/* test */ UPDATE setting SET value = value");
    const nodes = (await nodesOf(url)).length;
    const cost = await costOnCitus(coordinator, () => database.run(write));
    expect(cost).toMatchObject({ toCoordinator: 1, toWorkers: 0, nodes });
    expect(cost.twoPhase).toBeGreaterThan(0);
    expect(cost.between).toBeGreaterThan(cost.twoPhase);
  });

  const named = { open: 10, read: 6, flag: 12, "search-rare": 8, sync: 20, import: 30 };
  test.each(Object.entries(named))("%s: at most %d statements, to one node", async (name, maxStatements) => {
    const { operation, beforeRound } = await scenarios.find((one) => one.name === name)!.prepare(box);
    await beforeRound?.(10);
    expectCheap(name, await least((n) => operation(box.main, n)), maxStatements);
  });

  /** Resolves once each of these users has been told of new mail, and a moment later, when the queue is done with it. */
  async function untilDelivered(sockets: JmapSocket[], work: () => Promise<unknown>): Promise<void> {
    const told = sockets.map((socket) => socket.nextPush(10_000));
    await work();
    await Promise.all(told);
    await sleep(200);
  }

  async function listening(...users: number[]): Promise<JmapSocket[]> {
    const url = running.urls.http!;
    const clients = await Promise.all(users.map((n) => connect({ url, user: address(n), password })));
    const sockets = await Promise.all(clients.map((client) => openWebSocket(client)));
    for (const socket of sockets) await socket.enablePush(["EmailDelivery"]);
    return sockets;
  }

  test("a mail from outside: at most 40 statements for an account, at most 30 for each of ten", async () => {
    for (const [name, users, most] of [
      ["deliver", [1], 40],
      ["deliver to 10 accounts", Array.from({ length: 10 }, (_, n) => n + 1), 300],
    ] as const) {
      const sockets = await listening(...users);
      const to = users.map((n) => address(n));
      const send = () => deliver({ ...smtp, to, data: nextMail("citus").toString("latin1") });
      expectCheap(name, await least(() => untilDelivered(sockets, send)), most);
      for (const socket of sockets) socket.close();
    }
  }, 60_000);

  test("a mail to another user of ours: at most 110 statements", async () => {
    const sockets = await listening(2);
    const { list: boxes } = await one<GetResult<{ id: string; role: string }>>(box.main, "Mailbox/get", { ids: null });
    const drafts = boxes.find(({ role }) => role === "drafts")!.id;
    const { list: identities } = await one<GetResult<{ id: string }>>(box.main, "Identity/get", { ids: null });
    const send = async () => {
      const draft = {
        mailboxIds: { [drafts]: true },
        from: [{ email: address(0) }],
        to: [{ email: address(2) }],
        subject: "To a neighbour",
        bodyValues: { t: { value: "Hello" } },
        textBody: [{ partId: "t", type: "text/plain" }],
      };
      const made = await one<SetResult>(box.main, "Email/set", { create: { d: draft } });
      const submission = { emailId: made.created!.d!.id, identityId: identities[0]!.id };
      await one<SetResult>(box.main, "EmailSubmission/set", { create: { s: submission } });
    };
    expectCheap("send to a local user", await least(() => untilDelivered(sockets, send)), 110);
    for (const socket of sockets) socket.close();
  }, 60_000);
});
