import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type Client, one, responseArgs } from "../conformance/client/client.ts";
import { deliver } from "../conformance/client/smtp.ts";
import type { Json, SetResult } from "../conformance/client/types.ts";
import { message } from "./support/messages.ts";
import { checkVapid, type PushService, startPushService } from "./support/push.ts";
import { startServer, type TestServer } from "./support/server.ts";

/** RFC 8620 §7.2 on a whole server: arriving mail is pushed to the device. */
let service: PushService;
let server: TestServer;
let alice: Client;
let count = 0;

const patient = { timeout: 15_000, interval: 20 };
const vapid = "urn:ietf:params:jmap:webpush-vapid";

beforeAll(async () => {
  service = await startPushService();
  server = await startServer({
    isShared: true,
    env: { POSTHORN_ALLOW_PRIVATE_TARGETS: "true", POSTHORN_DEMO: "false" },
  });
  await server.addAccount("alice@home.test", "correct horse");
}, 120_000);
beforeEach(async () => {
  alice = await server.login("alice@home.test", "correct horse");
  service.pushes.length = 0;
  service.answers.length = 0;
});
afterAll(async () => {
  await server?.dispose();
  service?.close();
});

/** PushSubscription methods take no accountId. */
async function push<T = SetResult>(name: "get" | "set", args: Json): Promise<T> {
  const method = `PushSubscription/${name}`;
  return responseArgs<T>((await alice.call([[method, args, "c"]]))[0]!, method);
}

async function subscribe(path: string, fields: Json = {}): Promise<string> {
  const create = { a: { deviceClientId: "device", url: service.url + path, ...fields } };
  const { created } = await push("set", { create });
  const id = created!.a!.id as string;
  const update = { [id]: { verificationCode: await service.code(path) } };
  expect(await push("set", { update })).toMatchObject({ notUpdated: null });
  return id;
}

async function receive(): Promise<void> {
  const data = await message({ from: "bob@remote.test", to: "alice@home.test", subject: `${++count}`, text: "Hi\r\n" });
  await deliver({ port: server.smtpPort, from: "bob@remote.test", to: "alice@home.test", data });
}

const changesAt = (path: string) => service.messages(path).filter((message) => message["@type"] === "StateChange");
const list = async () => (await push<{ list: Json[] }>("get", {})).list;

test("arriving mail is pushed, signed with the key in the session", async () => {
  const id = await subscribe("/mail", { types: ["EmailDelivery"] });
  await one(alice, "Mailbox/set", { accountId: alice.accountId, create: { m: { name: "unheard" } } });
  await receive();
  await vi.waitFor(() => expect(changesAt("/mail")).toHaveLength(1), patient);
  expect(changesAt("/mail")).toEqual([
    { "@type": "StateChange", changed: { [alice.accountId]: { EmailDelivery: expect.any(String) } } },
  ]);
  const { applicationServerKey } = alice.session.capabilities[vapid] as { applicationServerKey: string };
  const { key, claims } = checkVapid(service.pushes[0]!.headers.authorization!);
  expect([key, claims.aud]).toEqual([applicationServerKey, service.url]);
  await push("set", { destroy: [id] });
  expect(await list()).toEqual([]);
});

test("a restart keeps subscriptions and key, and pushes the changes that the device has missed", async () => {
  const before = alice.session;
  const id = await subscribe("/restart", { types: ["EmailDelivery"] });
  service.answers.push(...Array.from({ length: 20 }, () => ({ status: 503 })));
  await receive();
  await vi.waitFor(() => expect(changesAt("/restart")).toHaveLength(1), patient);
  await server.kill();
  service.answers.length = 0;
  await server.start();
  await vi.waitFor(() => expect(changesAt("/restart").length).toBeGreaterThan(1), { ...patient, timeout: 25_000 });
  expect(changesAt("/restart").at(-1)).toEqual(changesAt("/restart")[0]);
  alice = await server.login("alice@home.test", "correct horse");
  expect(alice.session.capabilities[vapid]).toEqual(before.capabilities[vapid]);
  expect(alice.session.state).toBe(before.state);
  expect(await list()).toMatchObject([{ id, verificationCode: expect.any(String) }]);
  await push("set", { destroy: [id] });
});

test("a subscription ends with the password that made it", async () => {
  await subscribe("/password");
  expect(
    (await server.cli(["account", "passwd", "alice@home.test", "--password-stdin"], "battery staple\n")).code,
  ).toBe(0);
  await receive();
  alice = await vi.waitFor(() => server.login("alice@home.test", "battery staple"), patient);
  expect(await list()).toEqual([]);
  expect(changesAt("/password")).toEqual([]);
});
