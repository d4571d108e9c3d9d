import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, one } from "../../conformance/client/client.ts";
import type { GetResult, SetResult } from "../../conformance/client/types.ts";
import { childrenOf } from "../support/children.ts";
import { until } from "../support/ports.ts";
import { startRedis } from "../support/redis.ts";
import { whyNoRedis } from "../support/redis-server.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { deliver } from "../support/smtp-client.ts";
import { type Pair, startPair } from "../support/standby.ts";

/** `--workers` together with a standby of the database, `--read-only`, and Redis where there is one. */
let pair: Pair;
let writer: TestServer;
let reader: TestServer;
/** A client at each child of the writer, and of the reader. */
let clients: Client[];
let readers: Client[];
const [user, password] = ["ann@home.test", "correct horse"];
const patient = { timeoutMs: 25_000 };

beforeAll(async () => {
  pair = await startPair();
  const redis = whyNoRedis ? undefined : await startRedis();
  const common = { POSTHORN_DEMO: "false", POSTHORN_WORKERS: "2", ...(redis && { POSTHORN_REDIS: redis.url }) };
  const startTimeoutMs = 100_000;
  writer = await startServer({ env: { ...common, DATABASE_URL: pair.url }, startTimeoutMs });
  await writer.addAccount(user, password);
  clients = [await writer.login(user, password), await writer.login(user, password)];
  const standby = `postgres://posthorn@127.0.0.1:${pair.standby.port}/posthorn`;
  const only = { POSTHORN_ROLES: "http", POSTHORN_READ_ONLY: "true" };
  reader = await startServer({ env: { ...common, ...only, DATABASE_URL: standby }, startTimeoutMs });
  readers = [await reader.login(user, password), await reader.login(user, password)];
}, 180_000);
afterAll(async () => {
  await reader?.dispose();
  await writer?.dispose();
  await pair?.dispose();
});

const create = (of: Client, name: string) =>
  one<SetResult>(of, "Mailbox/set", { accountId: of.accountId, create: { m: { name } } });
const names = async (of: Client) =>
  (await one<GetResult>(of, "Mailbox/get", { accountId: of.accountId })).list.map(({ name }) => name);

async function replaceChild(server: TestServer): Promise<void> {
  const victim = childrenOf(server).get(2)!;
  process.kill(victim, "SIGKILL");
  await until("a new child", () => childrenOf(server).get(2) !== victim, patient);
}

test("all processes of --read-only read at the standby and write nothing, also one that has replaced another", async () => {
  expect((await create(clients[0]!, "Travel")).created).toHaveProperty("m");
  const check = async () => {
    for (const client of readers) {
      await until("the standby has it", async () => (await names(client)).includes("Travel"));
      await expect(create(client, "Elsewhere")).rejects.toMatchObject({ type: "accountReadOnly" });
    }
  };
  await check();
  await replaceChild(reader);
  readers = [await reader.login(user, password), await reader.login(user, password)];
  await check();
  expect((await fetch(`${reader.url}/readyz`)).status).toBe(200);
});

test("after a failover all processes find the new primary, and so does one that starts later", async () => {
  const mail = (subject: string) => {
    const data = `From: a@away.test\nTo: ${user}\nSubject: ${subject}\n\nHello\n`;
    return deliver({ port: writer.smtpPort, from: "a@away.test", to: user, data });
  };
  expect(await mail("before")).toMatch(/^250/);
  await pair.primary.kill();
  await pair.standby.run("SELECT pg_promote()");
  const works = (client: Client, name: string) =>
    create(client, name).then(
      ({ created }) => created?.m !== undefined,
      () => false,
    );
  for (const [at, client] of clients.entries()) {
    await until("writing goes on", () => works(client, `after the failover ${at} ${Math.random()}`));
  }
  // The old primary is back, and still believes that it is the one.
  await pair.primary.start();
  await replaceChild(writer);
  clients = [await writer.login(user, password), await writer.login(user, password)];
  for (const [at, client] of clients.entries()) {
    expect((await create(client, `once it is back ${at}`)).created).toHaveProperty("m");
    expect(await names(client)).toContain("once it is back 0");
  }
  expect(await mail("after")).toMatch(/^250/);
});
