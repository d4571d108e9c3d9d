import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Client, one } from "../../conformance/client/client.ts";
import { SmtpConnection } from "../../conformance/client/smtp.ts";
import type { GetResult, QueryResult, SetResult } from "../../conformance/client/types.ts";
import { decodeId, idPrefix } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { Database } from "../../src/store/core/database.ts";
import { type Clone, cloneOnCitus, isOnCitus, nodesOf } from "../support/citus.ts";
import { NodeProcess } from "../support/node-process.ts";
import { until } from "../support/ports.ts";
import { startServer, type TestServer } from "../support/server.ts";

/** Nodes of a real cluster hang and die while clients work and mail comes in. Nothing acknowledged is lost or doubled. */
const password = "correct horse";
const usersOnEach = 3;
const calmMs = 4_000;
const faultMs = 7_000;
/** What a node that is away may keep its users waiting, and what the others may have to wait. */
const maxAwayMs = 2_500;
const maxOthersMs = 300;

interface User {
  address: string;
  client: Client;
  drafts: string;
  flagged: string;
}

interface Outcome {
  user: User;
  what: "read" | "flag" | "draft" | "mail";
  begin: number;
  end: number;
  /** "ok", the type of the error, or the stage and code of the SMTP reply. */
  answer: string;
}

let clone: Clone;
/** The coordinator first. */
let nodes: (NodeProcess | string)[] = [];
let server: TestServer;
/** Users by the worker that holds them, in the order of `nodes`. */
const groups: User[][] = [];
let number = 0;

async function addUsers(): Promise<void> {
  const database = new Database({ connectionString: clone.url, max: 2 }, silentLog);
  await database.nodes.start();
  const workers = database.nodes.all.slice(1);
  groups.push(...workers.map(() => []));
  for (let n = 0; groups.some((users) => users.length < usersOnEach); n++) {
    const address = `user${n}@home.test`;
    await server.addAccount(address, password);
    const client = await server.login(address, password);
    const users = groups[workers.indexOf(database.nodes.of(decodeId(idPrefix.account, client.accountId)!))]!;
    if (users.length === usersOnEach) continue;
    const { list } = await one<GetResult>(client, "Mailbox/get", { ids: null });
    const user = { address, client, drafts: list.find(({ role }) => role === "drafts")!.id as string, flagged: "" };
    const { created } = await one<SetResult>(client, "Email/set", { create: newDraft(user, "to be flagged") });
    users.push({ ...user, flagged: created!.d!.id as string });
  }
  await database.close();
}

const newDraft = ({ drafts }: Pick<User, "drafts">, subject: string) => ({
  d: { mailboxIds: { [drafts]: true }, keywords: { $draft: true }, subject },
});

const actions = {
  read: ({ client }: User) => call(client, "Email/query", { limit: 30 }),
  flag: ({ client, flagged }: User) =>
    call(client, "Email/set", { update: { [flagged]: { "keywords/$flagged": number % 2 === 0 || null } } }),
  draft: (user: User, subject: string) => call(user.client, "Email/set", { create: newDraft(user, subject) }),
  mail,
};

async function call(client: Client, method: string, args: object): Promise<string> {
  const [answer] = await client.call([[method, { accountId: client.accountId, ...args }, "0"]]);
  const [name, result] = answer!;
  if (name === "error") return String(result.type);
  return result.notCreated || result.notUpdated ? "not set" : "ok";
}

async function mail({ address }: User, subject: string): Promise<string> {
  const peer = await SmtpConnection.greet({ port: server.smtpPort });
  try {
    for (const command of ["MAIL FROM:<a@away.test>", `RCPT TO:<${address}>`]) {
      const { code } = await peer.command(command);
      if (code !== 250) return `${command.slice(0, 4)} ${code}`;
    }
    const { code } = await peer.data(`From: a@away.test\nTo: ${address}\nSubject: ${subject}\n\nHello\n`);
    return code === 250 ? "ok" : `DATA ${code}`;
  } finally {
    peer.destroy();
  }
}

async function subjects({ client }: User): Promise<unknown[]> {
  const { ids } = await one<QueryResult>(client, "Email/query", { limit: 500 });
  const { list } = await one<GetResult>(client, "Email/get", { ids, properties: ["subject"] });
  return list.map(({ subject }) => subject);
}

/** Everybody works in calm, through the fault, and after it. Returns the outcomes of calm and of the fault. */
async function through(
  fault: () => Promise<void>,
  mend: () => Promise<void>,
): Promise<Record<"calm" | "hard", Outcome[]>> {
  const outcomes: Outcome[] = [];
  const acknowledged = new Map<User, string[]>();
  let isOver = false;
  const work = async (user: User) => {
    const own: string[] = [];
    acknowledged.set(user, own);
    while (!isOver) {
      for (const what of ["read", "flag", "draft", "mail"] as const) {
        const subject = `${what} ${number++}`;
        const begin = performance.now();
        const answer = await actions[what](user, subject);
        outcomes.push({ user, what, begin, end: performance.now(), answer });
        if (answer === "ok" && (what === "draft" || what === "mail")) own.push(subject);
        await sleep(100);
      }
    }
  };
  const working = Promise.all(groups.flat().map(work));
  working.catch(() => {});
  await sleep(calmMs);
  const faultAt = performance.now();
  await fault();
  await sleep(faultMs);
  const mendAt = performance.now();
  await mend();
  await sleep(2_000);
  isOver = true;
  await working;
  const ready = async () => (await (await fetch(`${server.url}/readyz`)).text()) === "ready\n";
  await until("ready again", ready, { timeoutMs: 30_000 });
  for (const [user, all] of acknowledged) {
    const isThere = async () => {
      const found = new Set(await subjects(user).catch(() => []));
      return all.every((subject) => found.has(subject));
    };
    await until("all that was acknowledged is there", isThere, { timeoutMs: 30_000 });
    const found = await subjects(user);
    for (const subject of all) expect(found.filter((one) => one === subject)).toEqual([subject]);
  }
  const calm = outcomes.filter(({ end }) => end < faultAt);
  const hard = outcomes.filter(({ begin, end }) => end >= faultAt && begin < mendAt);
  return { calm, hard };
}

function p95(outcomes: Outcome[]): number {
  const sorted = outcomes.map(({ begin, end }) => end - begin).sort((one, other) => one - other);
  return Math.round(sorted[Math.floor(sorted.length * 0.95)]!);
}

const of = (outcomes: Outcome[], users: User[]) => outcomes.filter(({ user }) => users.includes(user));
const answers = (outcomes: Outcome[]) => [...new Set(outcomes.map(({ answer }) => answer))];
const longest = (outcomes: Outcome[]) => Math.round(Math.max(...outcomes.map(({ begin, end }) => end - begin)));
const isMail = ({ what }: Outcome) => what === "mail";

/** As many as in calm times, none refused, and hardly later. */
function expectUnharmed(calm: Outcome[], hard: Outcome[]): void {
  expect(answers(hard)).toEqual(["ok"]);
  expect(hard.length).toBeGreaterThan(calm.length / 2);
  expect(p95(hard)).toBeLessThan(Math.max(2 * p95(calm), maxOthersMs));
}

/** What a node that is away holds is refused as a passing trouble, and nobody waits for long. */
function expectRefused(hard: Outcome[]): void {
  // Of a COMMIT that was under way nobody knows.
  const passing = ["ok", "serverUnavailable", "serverPartialFail", "MAIL 451", "RCPT 451", "DATA 451"];
  expect(answers(hard).filter((answer) => !passing.includes(answer))).toEqual([]);
  expect(answers(hard).length).toBeGreaterThan(1);
  expect(longest(hard)).toBeLessThan(maxAwayMs);
}

function tell(name: string, { calm, hard }: Record<"calm" | "hard", Outcome[]>, spared: User[]): void {
  const others = of(hard, spared);
  const numbers = { calm: calm.length, "p95 (ms)": p95(of(calm, spared)), others: others.length };
  const away = hard.filter((outcome) => !others.includes(outcome));
  const refused = away.filter(({ answer }) => answer !== "ok").length;
  const later = { "their p95 (ms)": p95(others), away: away.length, refused, "longest (ms)": longest(away) };
  console.table({ [name]: { ...numbers, ...later } });
}

if (!isOnCitus) console.warn("SKIPPED: the faults of a cluster need CITUS_URL");

describe.runIf(isOnCitus)("on a cluster", () => {
  beforeAll(async () => {
    clone = await cloneOnCitus("migrated");
    nodes = await Promise.all((await nodesOf(clone.url)).map((url) => NodeProcess.find(url)));
    server = await startServer({ env: { DATABASE_URL: clone.url, POSTHORN_DEMO: "false" } });
    await addUsers();
  }, 240_000);

  afterEach(() => {
    for (const node of nodes) if (typeof node !== "string") node.continue();
  });

  afterAll(async () => {
    await server?.dispose();
    await clone?.drop();
  });

  /** Skips the test, and says why, where the node can't be signalled or started from here. */
  function nodeOf(index: number, skip: (why: string) => never): NodeProcess {
    const node = nodes[index]!;
    if (typeof node !== "string") return node;
    console.warn(`SKIPPED, since this test can't stop node ${index} and start it again: ${node}`);
    return skip(node);
  }

  test("a worker hangs: its users hear soon that they must wait, and the others notice nothing", async ({ skip }) => {
    const worker = nodeOf(1, skip);
    const seen = await through(
      async () => worker.stop(),
      async () => worker.continue(),
    );
    const [lost, spared] = groups as [User[], User[]];
    tell("worker hangs", seen, spared);
    expectUnharmed(of(seen.calm, spared), of(seen.hard, spared));
    expectRefused(of(seen.hard, lost));
  }, 120_000);

  test("a worker is killed: the same", async ({ skip }) => {
    const worker = nodeOf(1, skip);
    const seen = await through(
      () => worker.kill(),
      () => worker.start(),
    );
    const [lost, spared] = groups as [User[], User[]];
    tell("worker killed", seen, spared);
    expectUnharmed(of(seen.calm, spared), of(seen.hard, spared));
    expectRefused(of(seen.hard, lost));
  }, 120_000);

  test("the coordinator is killed: mail is put off, and all else goes on", async ({ skip }) => {
    const coordinator = nodeOf(0, skip);
    const seen = await through(
      () => coordinator.kill(),
      () => coordinator.start(),
    );
    const [mails, calls] = [seen.hard.filter(isMail), seen.hard.filter((outcome) => !isMail(outcome))];
    tell("coordinator killed", seen, groups.flat());
    const calm = seen.calm.filter((outcome) => !isMail(outcome));
    expectUnharmed(calm, calls);
    expectRefused(mails);
  }, 120_000);
});
