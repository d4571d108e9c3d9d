import { randomBytes } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { connect, one } from "../../conformance/client/client.ts";
import { openEventSource } from "../../conformance/client/eventsource.ts";
import { deliver } from "../../conformance/client/smtp.ts";
import type { GetResult, QueryResult, SetResult } from "../../conformance/client/types.ts";
import { openWebSocket, webSocketUrl } from "../../conformance/client/websocket.ts";
import { addAccount } from "../../src/admin/accounts.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { type Running, serve } from "../../src/cli/serve.ts";
import { load } from "../../src/config/load.ts";
import { ProcessBus } from "../../src/push/bus.ts";
import { Store } from "../../src/store/core/store.ts";
import { freePorts, until } from "../support/ports.ts";
import { createTestDatabase, urlOf } from "../support/postgres.ts";

const password = "sesame";
const folder = mkdtempSync(join(tmpdir(), "posthorn-roles-"));
const { database, connection } = await createTestDatabase();
const running: Running[] = [];

beforeAll(async () => {
  const store = new Store({ database, clock: systemClock, log: silentLog });
  const admin = {
    store,
    bus: new ProcessBus({ store, log: silentLog }),
    random: randomBytes,
    log: silentLog,
    who: "test",
  };
  for (const name of ["ann", "bob"]) {
    await addAccount(admin, { address: `${name}@here.test`, name: "", password, quota: 0 });
  }
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One more server of the installation. */
async function start(roles: string, more: Record<string, string> = {}): Promise<Running["urls"]> {
  const [http, smtp, metrics] = (await freePorts(3)) as [number, number, number];
  const env = { DATABASE_URL: urlOf(connection) };
  const flags = {
    data: folder,
    roles,
    http: `127.0.0.1:${http}`,
    smtp: `127.0.0.1:${smtp}`,
    metrics: `127.0.0.1:${metrics}`,
    demo: "false",
    resolver: "127.0.0.1:1",
    web: "off",
  };
  const { config } = load(env, { ...flags, ...more });
  const resolver = new Resolver({ timeout: 100, tries: 1 });
  const server = await serve(config, { clock: systemClock, resolver, random: randomBytes, log: silentLog });
  running.push(server);
  return server.urls;
}

const status = (url: string) =>
  fetch(url, { headers: { connection: "close" } }).then(
    (response) => response.status,
    () => 0,
  );

const mixes = [
  "http",
  "push",
  "smtp-in",
  "smtp-out",
  "worker",
  "http,push",
  "push,worker",
  "smtp-in,smtp-out",
  "http,smtp-out",
  "http,push,smtp-in,smtp-out,worker",
];

test.each(mixes)("the roles %s start alone and serve what is theirs", async (mix) => {
  const roles = new Set(mix.split(","));
  const urls = await start(mix);
  const servesClients = roles.has("http") || roles.has("push");
  expect(urls.http !== undefined).toBe(servesClients);
  expect(urls.smtp !== undefined).toBe(roles.has("smtp-in"));
  expect(await status(urls.metrics!.replace("/metrics", "/readyz"))).toBe(200);
  if (servesClients) {
    expect(await status(`${urls.http}/readyz`)).toBe(200);
    expect(await status(`${urls.http}/.well-known/jmap`)).toBe(roles.has("http") ? 401 : 404);
    expect(await status(`${urls.http}/jmap/api`)).toBe(roles.has("http") ? 405 : 404);
    expect(await status(`${urls.http}/jmap/ws`)).toBe(426);
    expect(await status(`${urls.http}/jmap/eventsource`)).toBe(401);
  }
  if (roles.has("smtp-in")) {
    const mail = { from: "a@remote.test", to: "ann@here.test", data: `Subject: by ${mix}\r\n\r\nHello.\r\n` };
    expect(await deliver({ port: Number(URL.parse(urls.smtp!)!.port), ...mail })).toMatch(/^250 /);
  }
});

test("with a push URL the role http leaves push to others", async () => {
  const { http } = await start("http", { "push-url": "https://push.here.test" });
  expect(await status(`${http}/jmap/ws`)).toBe(404);
  expect(await status(`${http}/jmap/eventsource`)).toBe(404);
  const { http: both } = await start("http,push", { "push-url": "https://push.here.test" });
  expect(await status(`${both}/jmap/ws`)).toBe(426);
});

test("mail and changes pass between servers of one role each", async () => {
  const [port] = (await freePorts(1)) as [number];
  const pushUrl = { "push-url": `http://127.0.0.1:${port}` };
  const push = await start("push", { ...pushUrl, http: `127.0.0.1:${port}` });
  const { http } = await start("http", pushUrl);
  const { smtp } = await start("smtp-in");
  await start("smtp-out");
  await start("worker");
  const ann = await connect({ url: http!, user: "ann@here.test", password });
  const bob = await connect({ url: http!, user: "bob@here.test", password });
  expect(webSocketUrl(ann).href).toBe(`ws://127.0.0.1:${port}/jmap/ws`);
  expect(push.http).toBe(`http://127.0.0.1:${port}`);
  const socket = await openWebSocket(ann);
  socket.enablePush(["Email"]);
  const stream = await openEventSource(bob, { types: ["Email"] });
  // The subscriptions are made once these are answered.
  const [, , [, echoed]] = await Promise.all([
    stream.next().catch(() => undefined),
    sleepBriefly(),
    socket.request([["Core/echo", { a: 1 }, "0"]]).then(([answer]) => answer!),
  ]);
  expect(echoed).toEqual({ a: 1 });

  const data = "From: a@remote.test\r\nSubject: from outside\r\n\r\nHello.\r\n";
  await deliver({ port: Number(URL.parse(smtp!)!.port), from: "a@remote.test", to: "ann@here.test", data });
  expect((await socket.nextPush(5_000)).changed[ann.accountId]).toHaveProperty("Email");

  const { list: boxes } = await one<GetResult<{ id: string; role: string }>>(ann, "Mailbox/get", { ids: null });
  const { list: identities } = await one<GetResult<{ id: string }>>(ann, "Identity/get", { ids: null });
  const email = {
    mailboxIds: { [boxes.find(({ role }) => role === "drafts")!.id]: true },
    from: [{ email: "ann@here.test" }],
    to: [{ email: "bob@here.test" }],
    subject: "between us",
    bodyValues: { t: { value: "Hello." } },
    textBody: [{ partId: "t", type: "text/plain" }],
  };
  const submission = { identityId: identities[0]!.id, emailId: "#mail" };
  const { accountId } = ann;
  const answers = await ann.call([
    ["Email/set", { accountId, create: { mail: email } }, "0"],
    ["EmailSubmission/set", { accountId, create: { sent: submission } }, "1"],
  ]);
  expect((answers[1]![1] as unknown as SetResult).created).toHaveProperty("sent");
  expect((await stream.nextState(10_000)).changed[bob.accountId]).toHaveProperty("Email");
  const arrived = async () =>
    (await one<QueryResult>(bob, "Email/query", { filter: { subject: "between" } })).ids.length;
  await until("the mail to Bob", async () => (await arrived()) === 1);
  stream.close();
  await socket.close();
});

const sleepBriefly = () => new Promise((resolve) => setTimeout(resolve, 300));

test("before the doors close, readiness says for a while that the server stops", async () => {
  const { http } = await start("http", { "drain-delay": "1500ms" });
  const client = await connect({ url: http!, user: "ann@here.test", password });
  const socket = await openWebSocket(client);
  const stopped = running[0]!.stop();
  const begun = performance.now();
  await until("not ready", async () => (await status(`${http}/readyz`)) === 503, { timeoutMs: 1_000 });
  expect(await one(client, "Core/echo", { still: true })).toEqual({ still: true });
  await until("closed doors", async () => (await status(`${http}/readyz`)) === 0);
  expect(performance.now() - begun).toBeGreaterThan(1_400);
  expect(await socket.closed).toBe(1012);
  await stopped;
});
