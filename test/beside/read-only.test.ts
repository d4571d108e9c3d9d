import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, one } from "../../conformance/client/client.ts";
import type { GetResult, Json, SetResult } from "../../conformance/client/types.ts";
import { until } from "../support/ports.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { type Pair, startPair } from "../support/standby.ts";

/** One process writes to the primary, another only reads, from its standby. */
let pair: Pair;
let writer: TestServer;
let reader: TestServer;
let client: Client;
let away: Client;
const user = "ann@home.test";
const password = "correct horse";
const urlOf = (port: number) => `postgres://posthorn@127.0.0.1:${port}/posthorn`;

beforeAll(async () => {
  pair = await startPair();
  writer = await startServer({ env: { DATABASE_URL: urlOf(pair.primary.port), POSTHORN_DEMO: "false" } });
  await writer.addAccount(user, password);
  client = await writer.login(user, password);
  reader = await startServer({
    env: { DATABASE_URL: urlOf(pair.standby.port), POSTHORN_ROLES: "http", POSTHORN_READ_ONLY: "true" },
  });
  away = await reader.login(user, password);
}, 120_000);

afterAll(async () => {
  await reader?.dispose();
  await writer?.dispose();
  await pair?.dispose();
});

const mailboxes = (of: Client) => one<GetResult>(of, "Mailbox/get", { accountId: of.accountId });
const create = (of: Client, name: string) =>
  one<SetResult>(of, "Mailbox/set", { accountId: of.accountId, create: { m: { name } } });
const names = async (of: Client) => (await mailboxes(of)).list.map(({ name }) => name);

test("the session says that the accounts are read-only, and offers no push", async () => {
  expect(Object.values(away.session.accounts)).toMatchObject([{ isReadOnly: true }]);
  expect(away.session.capabilities).not.toHaveProperty("urn:ietf:params:jmap:websocket");
  const events = await away.fetch(
    away.expand(away.session.eventSourceUrl, { types: "*", closeafter: "no", ping: "0" }),
  );
  expect(events.status).toBe(503);
});

test("what is written at the primary is read at the standby, where nothing can be written", async () => {
  expect((await create(client, "Travel")).created).toHaveProperty("m");
  await until("the standby has it", async () => (await names(away)).includes("Travel"));
  await expect(create(away, "Elsewhere")).rejects.toMatchObject({ type: "accountReadOnly" });
  await expect(away.upload("text")).rejects.toThrow("403");
  const subscription = { deviceClientId: "device", url: "https://push.example/1", keys: null };
  const [answer] = await away.call([["PushSubscription/set", { create: { p: subscription } }, "0"]]);
  expect(answer).toEqual(["error", { type: "forbidden", description: "this server only reads" }, "0"]);
});

test("while the primary is cut off, the client reads at the standby, and catches up once it is back", async () => {
  await pair.primary.kill();
  const { state } = await mailboxes(away);
  expect(await names(away)).toContain("Travel");
  await pair.primary.start();
  await until("writing goes on", () => create(client, "Later").catch(() => undefined));
  await until("the standby catches up", async () => (await names(away)).includes("Later"), { timeoutMs: 20_000 });
  const changes = await one<Json>(away, "Mailbox/changes", { accountId: away.accountId, sinceState: state });
  expect(changes.created).toHaveLength(1);
  expect(changes.newState).toBe((await mailboxes(client)).state);
});
