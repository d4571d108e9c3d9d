import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, one } from "../../conformance/client/client.ts";
import { deliver } from "../../conformance/client/smtp.ts";
import type { GetResult, QueryResult, SetResult } from "../../conformance/client/types.ts";
import { until } from "../support/ports.ts";
import { startServer, TestServer } from "../support/server.ts";
import { type Pair, startPair } from "../support/standby.ts";

/** A primary dies, and its standby takes its place while mail comes in and a client works; then the old one comes back. */
let pair: Pair;
let server: TestServer;
let client: Client;
const user = "ann@home.test";
const password = "correct horse";
const direct = () => `postgres://posthorn@127.0.0.1:${pair.primary.port}/posthorn`;
const env = (url: string) => ({ DATABASE_URL: url, POSTHORN_DEMO: "false" });

beforeAll(async () => {
  pair = await startPair();
  server = await startServer({ env: env(pair.url) });
  await server.addAccount(user, password);
  client = await server.login(user, password);
}, 120_000);

afterAll(async () => {
  await server?.dispose();
  await pair?.dispose();
});

const mailboxes = async (of: Client) => (await one<GetResult>(of, "Mailbox/get", { accountId: of.accountId })).list;

async function draft(of: Client, subject: string): Promise<boolean> {
  const drafts = (await mailboxes(of)).find(({ role }) => role === "drafts")!.id as string;
  const create = { d: { mailboxIds: { [drafts]: true }, keywords: { $draft: true }, subject } };
  const { created } = await one<SetResult>(of, "Email/set", { accountId: of.accountId, create });
  return created?.d !== undefined;
}

async function subjects(of: Client): Promise<unknown[]> {
  const { accountId } = of;
  const { ids } = await one<QueryResult>(of, "Email/query", { accountId, limit: 500 });
  const { list } = await one<GetResult>(of, "Email/get", { accountId, ids, properties: ["subject"] });
  return list.map(({ subject }) => subject);
}

test("what was acknowledged survives the promotion of the standby, and the client goes on without signing in", async () => {
  const acknowledged: string[] = [];
  let number = 0;
  let isOver = false;
  const work = async (what: string, act: (subject: string) => Promise<boolean>) => {
    while (!isOver) {
      const subject = `${what} ${number++}`;
      if (await act(subject).catch(() => false)) acknowledged.push(subject);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const mail = async (subject: string) => {
    const data = `From: a@away.test\nTo: ${user}\nSubject: ${subject}\n\nHello\n`;
    return (await deliver({ port: server.smtpPort, from: "a@away.test", to: user, data })).startsWith("250");
  };
  const busy = Promise.all([work("mail", mail), work("draft", (subject) => draft(client, subject))]);
  await until("traffic", () => acknowledged.length > 20);
  await pair.primary.kill();
  await new Promise((resolve) => setTimeout(resolve, 500));
  await pair.standby.run("SELECT pg_promote()");
  const before = acknowledged.length;
  await until("traffic goes on", () => acknowledged.length > before + 20);
  isOver = true;
  await busy;
  await until("all mail is delivered", async () => {
    const found = await subjects(client);
    return acknowledged.every((subject) => found.includes(subject));
  });
  const found = await subjects(client);
  for (const subject of acknowledged) expect(found.filter((one) => one === subject)).toEqual([subject]);
}, 60_000);

test("the old primary is not used when it comes back, by processes that run or by those that start", async () => {
  await pair.primary.start();
  expect(await pair.primary.run("SELECT FROM pg_stat_replication")).toEqual([]);
  expect(await draft(client, "after its return")).toBe(true);
  const another = await startServer({ env: env(pair.url) });
  try {
    const fresh = await another.login(user, password);
    expect(await subjects(fresh)).toContain("after its return");
  } finally {
    await another.dispose();
  }
});

test("a process that knows of the old primary alone gets nothing acknowledged there", async () => {
  const stale = new TestServer({ env: env(direct()) }, [1, 2, 3]);
  const { code, stderr } = await stale.spawnCli(["account", "name", user, "In vain"]);
  expect(code).not.toBe(0);
  expect(stderr).toContain("commit outcome unknown");
});

test("a process refuses a primary without standbys while another address may be the true primary", async () => {
  await pair.standby.stop();
  const { code, stderr } = await server.spawnCli(["account", "list"]);
  expect(code).not.toBe(0);
  expect(stderr).toContain("may have been replaced");
});
