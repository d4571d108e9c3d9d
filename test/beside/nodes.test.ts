import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Client, connect, one } from "../../conformance/client/client.ts";
import { type EventStream, openEventSource } from "../../conformance/client/eventsource.ts";
import { SmtpConnection } from "../../conformance/client/smtp.ts";
import type { GetResult, Invocation, QueryResult, SetResult } from "../../conformance/client/types.ts";
import { decodeId, idPrefix } from "../../src/base/ids.ts";
import { unprepared } from "../../src/store/core/sql.ts";
import { type Cluster, createCluster } from "../support/cluster.ts";
import type { DatabaseProxy } from "../support/database-proxy.ts";
import { until } from "../support/ports.ts";
import { startServer, type TestServer } from "../support/server.ts";

const listening = unprepared(`/* test */ SELECT 1 FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = 'posthorn listen' AND state = 'idle'`);

let cluster: Cluster;
let server: TestServer;
/** Two users whose accounts lie on different nodes. Near has Far's account too. */
let near: Client;
let far: Client;
let farNode: DatabaseProxy;
let appPassword: string;

const password = "correct horse";
/** `sharer` lies beside near, has Far's account too, and has never signed in. */
const names = { near: "", far: "", sharer: "" };

beforeAll(async () => {
  cluster = await createCluster();
  server = await startServer({ env: { DATABASE_URL: cluster.coordinator.url, POSTHORN_DEMO: "false" } });
  for (let number = 1; names.sharer === "" || names.far === ""; number++) {
    const name = `user${number}@home.test`;
    await server.addAccount(name, password);
    const isNear = cluster.nodeOf(number) === cluster.nodeOf(1);
    if (!isNear) names.far ||= name;
    else if (names.near === "") names.near = name;
    else names.sharer ||= name;
  }
  const made = await server.cli(["token", "add", names.far, "--app-password"]);
  appPassword = /[a-z0-9]{6}(-[a-z0-9]{6}){4}/.exec(made.stdout)![0];
  for (const name of [names.near, names.sharer]) await server.cli(["account", "share", names.far, name]);
  near = await server.login(names.near, password);
  far = await server.login(names.far, password);
  farNode = cluster.nodeOf(decodeId(idPrefix.account, far.accountId)!);
}, 120_000);

afterAll(async () => {
  await server?.dispose();
  await cluster?.close();
});

afterEach(async () => {
  for (const proxy of [cluster.coordinator, cluster.nodes.negative, cluster.nodes.positive]) {
    proxy.resume();
    if (!proxy.isListening) await proxy.mend();
  }
  await until("ready again", async () => (await readyz()).text === "ready\n");
});

async function readyz(): Promise<{ status: number; text: string; ms: number }> {
  const begin = performance.now();
  const response = await fetch(`${server.url}/readyz`, { headers: { connection: "close" } });
  const text = await response.text();
  return { status: response.status, text, ms: performance.now() - begin };
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const begin = performance.now();
  const result = await work();
  return { result, ms: performance.now() - begin };
}

/** Mail over SMTP: the last reply, and the command it answers. */
async function mail(to: string, subject: string): Promise<{ code: number; stage: string }> {
  const peer = await SmtpConnection.greet({ port: server.smtpPort });
  try {
    for (const command of ["MAIL FROM:<a@away.test>", `RCPT TO:<${to}>`]) {
      const { code } = await peer.command(command);
      if (code !== 250) return { code, stage: command.slice(0, 4) };
    }
    const reply = await peer.data(`From: a@away.test\nTo: ${to}\nSubject: ${subject}\n\nHello\n`);
    return { code: reply.code, stage: "DATA" };
  } finally {
    peer.destroy();
  }
}

async function subjects(client: Client): Promise<string[]> {
  const { accountId } = client;
  const { ids } = await one<QueryResult>(client, "Email/query", { accountId });
  const { list } = await one<GetResult>(client, "Email/get", { accountId, ids, properties: ["subject"] });
  return list.map((email) => String(email.subject));
}

const draft = async (client: Client, subject: string) => {
  const { accountId } = client;
  const { list } = await one<GetResult>(client, "Mailbox/get", { accountId });
  const drafts = list.find((mailbox) => mailbox.role === "drafts")!.id as string;
  return one<SetResult>(client, "Email/set", {
    accountId,
    create: { d: { mailboxIds: { [drafts]: true }, keywords: { $draft: true }, subject } },
  });
};

const errorType = ([name, args]: Invocation) => (name === "error" ? args.type : "ok");
const both = () =>
  near.call([
    ["Mailbox/get", { accountId: near.accountId }, "0"],
    ["Mailbox/get", { accountId: far.accountId }, "1"],
    ["Thread/get", { accountId: far.accountId, ids: [] }, "2"],
    ["Email/query", { accountId: far.accountId }, "3"],
    ["Mailbox/query", { accountId: near.accountId }, "4"],
  ]);

test("while a node hangs, only calls on its accounts fail, and the request waits for two seconds in all", async () => {
  farNode.stall();
  const first = await timed(both);
  const expected = ["ok", "serverUnavailable", "serverUnavailable", "serverUnavailable", "ok"];
  expect(first.result.map(errorType)).toEqual(expected);
  expect(first.ms).toBeLessThan(3_000);
  const again = await timed(both);
  expect(again.result.map(errorType)).toEqual(expected);
  expect(again.ms).toBeLessThan(500);
  expect(server.output).not.toContain("method failed");
});

test("while a node hangs, users of the others read, write and get mail as ever", async () => {
  await mail(names.near, "the first starts a thread");
  farNode.stall();
  const stuck = Promise.allSettled(Array.from({ length: 60 }, () => subjects(far)));
  for (let round = 0; round < 10; round++) {
    const outcomes = await Promise.all([
      timed(() => subjects(near)),
      timed(() => draft(near, `draft ${round}`)),
      timed(() => mail(names.near, `mail ${round}`)),
    ]);
    expect(outcomes[2].result).toEqual({ code: 250, stage: "DATA" });
    for (const [index, { ms }] of outcomes.entries()) expect(ms, `${round}.${index}`).toBeLessThan(1_000);
  }
  expect((await timed(() => mail(names.far, "late"))).result).toEqual({ code: 451, stage: "RCPT" });
  await stuck;
  const { status, text, ms } = await readyz();
  expect(status).toBe(200);
  expect(JSON.parse(text)).toMatchObject({
    ready: true,
    database: expect.stringMatching(/^no answer from node [12]$/),
  });
  expect(ms).toBeLessThan(1_000);
});

test("while a node is dead, its users sign in by password; what lies beside the account is 503", async () => {
  await farNode.cut();
  const client = await connect({ url: server.url, user: names.far, password });
  expect(Object.keys(client.session.accounts)).toEqual([far.accountId]);
  const answer = await fetch(`${server.url}/.well-known/jmap`, {
    headers: { authorization: `Basic ${Buffer.from(`${names.far}:${appPassword}`).toString("base64")}` },
  });
  expect(answer.status).toBe(503);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  // Whoever shares the account keeps it in the session.
  const sharer = await connect({ url: server.url, user: names.sharer, password });
  expect(Object.keys(sharer.session.accounts)).toEqual([sharer.accountId, far.accountId]);
});

test("while a node is dead, push opens all the same, and tells what changed once the node is back", async () => {
  await farNode.cut();
  await both();
  const stream: EventStream = await openEventSource(near, { types: ["Mailbox"] });
  await farNode.mend();
  const { list } = await until("the node is back", () =>
    one<GetResult>(far, "Mailbox/get", { accountId: far.accountId }).catch(() => undefined),
  );
  const update = { [String(list[0]!.id)]: { sortOrder: 7 } };
  await one<SetResult>(far, "Mailbox/set", { accountId: far.accountId, update });
  for await (const event of stream) if (event.data?.includes(far.accountId)) break;
  stream.close();
});

test("while the coordinator is dead, people sign in, read and write; mail is put off, in and out", async () => {
  await cluster.coordinator.cut();
  // Numbers of incoming mail that the process has left would let it get further.
  expect(await mail(names.near, "refused")).toMatchObject({ code: 451 });
  expect(await mail(names.near, "refused")).toEqual({ code: 451, stage: "MAIL" });
  for (const [name, client] of [
    [names.near, near],
    [names.far, far],
  ] as const) {
    const fresh = await connect({ url: server.url, user: name, password });
    expect(Object.keys(fresh.session.accounts)).toContain(client.accountId);
    expect((await draft(client, "without a coordinator")).created).toHaveProperty("d");
    expect(await subjects(client)).toContain("without a coordinator");
  }
  const { status, text, ms } = await readyz();
  expect(status).toBe(200);
  expect(JSON.parse(text)).toMatchObject({ ready: true, database: "no answer from the coordinator" });
  expect(ms).toBeLessThan(1_000);
  await cluster.coordinator.mend();
  await until("mail comes in", async () => (await mail(names.near, "accepted")).code === 250);
  await until("it is delivered", async () => (await subjects(near)).includes("accepted"));
});

test("while no server answers, the API is serverUnavailable, a sign-in 503, mail 451 and /readyz 503", async () => {
  // Once it listens again it forgets whom it knew; whoever signs in after that is known.
  await until("it listens", async () => (await cluster.database.run(listening)).length > 0);
  await both();
  for (const proxy of [cluster.coordinator, cluster.nodes.negative, cluster.nodes.positive]) proxy.stall();
  expect((await both()).map(errorType)).toEqual(Array(5).fill("serverUnavailable"));
  const { status, ms } = await readyz();
  expect(status).toBe(503);
  expect(ms).toBeLessThan(1_000);
  const authorization = `Basic ${Buffer.from("user1@home.test:wrong").toString("base64")}`;
  expect((await fetch(`${server.url}/.well-known/jmap`, { headers: { authorization } })).status).toBe(503);
  expect(await mail(names.near, "refused")).toEqual({ code: 451, stage: "MAIL" });
});
