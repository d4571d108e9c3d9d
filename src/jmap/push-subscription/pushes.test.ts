import { createECDH, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { keepEvents } from "../../../test/support/events.ts";
import { checkVapid, decrypt } from "../../../test/support/push.ts";
import { day, PushWorld, patient } from "../../../test/support/push-world.ts";
import type { PushSent } from "../../base/events.ts";
import { setPassword } from "../../store/directory/logins.ts";
import { addAppPassword, addToken, revokeCredential } from "../../store/directory/tokens.ts";

type Json = Record<string, unknown>;

const world = new PushWorld();

describe("pushes", () => {
  it("report only the types asked for, EmailDelivery among them", async () => {
    const id = await world.subscribe("/types", { types: ["EmailDelivery", "Mailbox", "Unheard"] });
    await world.change("Email", "Thread");
    await world.change("Email", "EmailDelivery");
    await vi.waitFor(() => expect(world.changesAt("/types")).toHaveLength(1), patient);
    expect(world.changesAt("/types")[0]!.changed).toEqual({
      [world.account]: { EmailDelivery: await world.state("EmailDelivery") },
    });
    expect(world.service.pushes.at(-1)!.headers.urgency).toBe("high");
    await world.change("Mailbox");
    await vi.waitFor(() => expect(world.changesAt("/types")).toHaveLength(2), patient);
    expect(world.service.pushes.at(-1)!.headers.urgency).toBe("normal");

    await world.update(id, { types: ["Thread"] });
    await sleep(100);
    expect(world.changesAt("/types")).toHaveLength(2);
    await world.change("Mailbox", "Thread");
    await vi.waitFor(() => expect(world.changesAt("/types")).toHaveLength(3), patient);
    expect(world.changesAt("/types")[2]!.changed).toEqual({ [world.account]: { Thread: await world.state("Thread") } });
  });

  it("are signed, and encrypted with the given keys, the verification too", async () => {
    const receiver = createECDH("prime256v1");
    receiver.generateKeys();
    const auth = randomBytes(16);
    const keys = { p256dh: receiver.getPublicKey("base64url"), auth: auth.toString("base64url") };
    const { id } = await world.create({ url: `${world.service.url}/safe`, keys });
    const read = (nth: number) =>
      JSON.parse(decrypt(world.service.pushes[nth]!.body, receiver, auth).toString()) as Json;
    await vi.waitFor(() => expect(world.service.pushes).toHaveLength(1), patient);
    expect(read(0)).toMatchObject({ "@type": "PushVerification", pushSubscriptionId: id });
    await world.update(id, { verificationCode: read(0).verificationCode });
    await world.change("Email");
    await vi.waitFor(() => expect(world.service.pushes).toHaveLength(2), patient);
    expect(read(1)).toEqual({
      "@type": "StateChange",
      changed: { [world.account]: { Email: await world.state("Email") } },
    });
    for (const { headers } of world.service.pushes) {
      expect(headers).toMatchObject({ "content-type": "application/json", "content-encoding": "aes128gcm" });
      const { claims, key } = checkVapid(headers.authorization!);
      expect(key).toBe(world.server.webPush.applicationServerKey);
      expect(claims).toMatchObject({ aud: world.service.url, sub: "mailto:postmaster@home.test" });
    }
  });

  it("are reported as events, failed ones too", async () => {
    const { events, told } = keepEvents();
    const process = await world.startProcess("told", { events });
    await world.server.stop();
    world.server = process;
    world.client = process.client(world.login);
    await world.subscribe("/told");
    expect(told).toEqual([["pushSent", { channel: "webpush", lagSeconds: undefined }]]);
    // The first change may be found by comparing states, as a process does once it is connected: then there is no lag.
    await world.change("Email");
    await vi.waitFor(() => expect(told).toHaveLength(2), patient);
    world.service.answers.push({ status: 503 });
    await world.change("Email");
    await vi.waitFor(() => expect(told).toHaveLength(4), patient);
    expect(world.changesAt("/told")).toHaveLength(3);
    expect(told.slice(2)).toEqual([
      ["pushFailed", { status: 503 }],
      ["pushSent", { channel: "webpush", lagSeconds: expect.any(Number) }],
    ]);
    // From the commit, not from the attempt that succeeded.
    expect((told[3]![1] as PushSent).lagSeconds).toBeGreaterThanOrEqual(0.02);
  });

  it("are merged in a storm of changes", async () => {
    await world.subscribe("/storm");
    const busy = Promise.withResolvers<void>();
    world.service.answers.push({ status: 201, after: busy.promise });
    for (let n = 0; n < 50; n++) await world.change("Email", "Mailbox");
    busy.resolve();
    const last = { Email: await world.state("Email"), Mailbox: await world.state("Mailbox") };
    await vi.waitFor(
      () => expect(world.changesAt("/storm").at(-1)!.changed).toEqual({ [world.account]: last }),
      patient,
    );
    expect(world.changesAt("/storm").length).toBeLessThanOrEqual(3);
  });

  it("are retried after a failure, with the newest states", async () => {
    await world.subscribe("/again");
    const busy = Promise.withResolvers<void>();
    world.service.answers.push({ status: 500, after: busy.promise });
    await world.change("Email");
    await vi.waitFor(() => expect(world.changesAt("/again")).toHaveLength(1), patient);
    await world.change("Mailbox");
    busy.resolve();
    await vi.waitFor(() => expect(world.changesAt("/again")).toHaveLength(2), patient);
    const both = { Email: await world.state("Email"), Mailbox: await world.state("Mailbox") };
    expect(world.changesAt("/again")[1]!.changed).toEqual({ [world.account]: both });
    await sleep(100);
    expect(world.changesAt("/again")).toHaveLength(2);
  });

  it("wait as long as an overloaded push service asks", async () => {
    await world.subscribe("/slow");
    world.service.answers.push({ status: 429, headers: { "retry-after": "1" } });
    const begin = performance.now();
    await world.change("Email");
    await vi.waitFor(() => expect(world.changesAt("/slow")).toHaveLength(2), patient);
    expect(performance.now() - begin).toBeGreaterThan(900);
  });

  it.each([404, 410])("end the subscription when the answer is %i", async (status) => {
    const id = await world.subscribe(`/gone${status}`);
    world.service.answers.push({ status });
    await world.change("Email");
    await vi.waitFor(async () => expect(await world.exists(id)).toBe(false), patient);
    await world.change("Email");
    await sleep(50);
    expect(world.changesAt(`/gone${status}`)).toHaveLength(1);
  });

  it("end the subscription after days of failures", async () => {
    const id = await world.subscribe("/down");
    world.service.answers.push(...Array.from({ length: 1000 }, () => ({ status: 503 })));
    await world.change("Email");
    await vi.waitFor(() => expect(world.changesAt("/down").length).toBeGreaterThan(2), patient);
    expect(await world.exists(id)).toBe(true);
    world.shift = 3 * day;
    await vi.waitFor(async () => expect(await world.exists(id)).toBe(false), patient);
  });

  it("of a verification are retried a few times after a failure, never after a refusal", async () => {
    world.service.answers.push({ status: 500 });
    await world.create({ url: `${world.service.url}/first` });
    await vi.waitFor(() => expect(world.service.messages("/first")).toHaveLength(2), patient);
    world.service.answers.push(...Array.from({ length: 10 }, () => ({ status: 500 })));
    const { id } = await world.create({ url: `${world.service.url}/dead` });
    await vi.waitFor(() => expect(world.service.messages("/dead")).toHaveLength(3), patient);
    await world.update(id, { types: ["Email"] });
    await sleep(150);
    expect(world.service.messages("/dead")).toHaveLength(3);
    world.service.answers.length = 0;
    world.service.answers.push({ status: 302, headers: { location: `${world.service.url}/elsewhere` } });
    await world.create({ url: `${world.service.url}/moved` });
    await sleep(150);
    expect(world.service.messages("/moved")).toHaveLength(1);
    expect(world.service.messages("/elsewhere")).toEqual([]);
  });

  it("stop when the subscription is destroyed", async () => {
    const id = await world.subscribe("/stop");
    expect(await world.call("set", { destroy: [id, "p0"] })).toMatchObject({
      destroyed: [id],
      notDestroyed: { p0: { type: "notFound" } },
    });
    await world.change("Email");
    await sleep(50);
    expect(world.changesAt("/stop")).toEqual([]);
  });
});

describe("the processes that push", () => {
  it("report after a restart what changed meanwhile, and nothing if nothing did", async () => {
    await world.subscribe("/restart");
    await world.subscribe("/quiet", { types: ["Identity"] });
    await world.change("Email");
    await vi.waitFor(() => expect(world.changesAt("/restart")).toHaveLength(1), patient);
    await sleep(50);
    await world.server.stop();
    await world.change("Mailbox");
    await world.startProcess("after");
    await vi.waitFor(() => expect(world.changesAt("/restart")).toHaveLength(2), patient);
    expect(world.changesAt("/restart")[1]!.changed).toEqual({
      [world.account]: { Mailbox: await world.state("Mailbox") },
    });
    await sleep(50);
    expect(world.changesAt("/quiet")).toEqual([]);
  });

  it("push each change once; a living process keeps its subscriptions, those of a dead one are taken over", async () => {
    const other = await world.startProcess("other");
    await world.subscribe("/one");
    await sleep(200);
    world.server.store.onCommit = (change) => {
      world.server.bus.publish(change);
      other.bus.publish(change);
    };
    await world.change("Email");
    await vi.waitFor(() => expect(world.changesAt("/one")).toHaveLength(1), patient);
    await sleep(50);
    expect(world.changesAt("/one")).toHaveLength(1);
    await world.server.stop();
    await world.change("Mailbox");
    await vi.waitFor(() => expect(world.changesAt("/one")).toHaveLength(2), patient);
  });

  it("take over a subscription that a client changes through them", async () => {
    const other = await world.startProcess("other");
    const { id } = await world.create({ url: `${world.service.url}/both` });
    await world.update(id, { verificationCode: await world.service.code("/both") }, other.client(world.login));
    world.server.store.onCommit = (change) => {
      world.server.bus.publish(change);
      other.bus.publish(change);
    };
    await world.change("Email");
    await vi.waitFor(() => expect(world.changesAt("/both")).toHaveLength(1), patient);
    await sleep(50);
    expect(world.changesAt("/both")).toHaveLength(1);
  });
});

describe("a credential that is gone", () => {
  const revoked = () => world.server.bus.publish({ credential: world.login.login });

  it("takes its subscriptions with it: an app password, a token, the password", async () => {
    const { login, userId } = world.login;
    await addAppPassword(world.server.store, { login, userId, id: "abcdef", label: "", hash: "" });
    await addToken(world.server.store, {
      login,
      userId,
      id: "token1",
      label: "",
      hash: randomBytes(32),
      expiresAt: undefined,
    });
    const clients = {
      app: world.server.client({ ...world.login, credential: "app:abcdef" }),
      token: world.server.client({ ...world.login, credential: "token:token1" }),
    };
    await world.subscribe("/app", {}, clients.app);
    await world.subscribe("/token", {}, clients.token);
    await world.subscribe("/password");
    await world.change("Email");
    for (const path of ["/app", "/token", "/password"]) {
      await vi.waitFor(() => expect(world.changesAt(path)).toHaveLength(1), patient);
    }
    await revokeCredential(world.database, { login, userId }, "abcdef");
    await revokeCredential(world.database, { login, userId }, "token1");
    revoked();
    await world.change("Mailbox");
    await vi.waitFor(() => expect(world.changesAt("/password")).toHaveLength(2), patient);
    await setPassword(world.server.store, login, "another");
    revoked();
    await world.change("Email");
    await sleep(100);
    expect(["/app", "/token", "/password"].map((path) => world.changesAt(path).length)).toEqual([1, 1, 2]);
    for (const by of [...Object.values(clients), world.client])
      expect((await world.call("get", {}, by)).list).toEqual([]);
  });

  it("ends a subscription that was being created when it was revoked", async () => {
    const late = world.server.client({ ...world.login, credential: "token:gone" });
    const { id } = await world.create({ url: `${world.service.url}/late` }, late);
    await world.update(id, { verificationCode: await world.service.code("/late") }, late);
    await vi.waitFor(async () => expect((await world.call("get", {}, late)).list).toEqual([]), patient);
  });

  it("that expires sets no other bound on its subscriptions, and ends them when it expires", async () => {
    const expiresAt = new Date(Date.now() + 90 * day);
    await addToken(world.server.store, {
      login: world.login.login,
      userId: world.login.userId,
      id: "token2",
      label: "",
      hash: randomBytes(32),
      expiresAt,
    });
    const session = world.server.client({ ...world.login, credential: "token:token2", credentialExpiresAt: expiresAt });
    const url = `${world.service.url}/session`;
    expect(await world.create({ url }, session)).toMatchObject({ expires: null });
    expect(await world.create({ url, expires: "2099-01-01T00:00:00Z" }, session)).not.toHaveProperty("expires");
    world.shift = 90 * day;
    expect((await world.call("get", {}, session)).list).toEqual([]);
  });
});
