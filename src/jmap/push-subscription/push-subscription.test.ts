import { createECDH } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { day, PushWorld, patient } from "../../../test/support/push-world.ts";
import { unprepared } from "../../store/core/sql.ts";

type Json = Record<string, unknown>;

const world = new PushWorld();

describe("PushSubscription/set and /get, RFC 8620 §7.2", () => {
  it("verifies before it pushes anything else", async () => {
    const made = await world.create({ url: `${world.service.url}/v`, types: ["Email"] });
    expect(made).toEqual({ id: made.id, keys: null, verificationCode: null, expires: expect.any(String) });
    const code = await world.service.code("/v");
    expect(world.service.messages("/v")).toEqual([
      { "@type": "PushVerification", pushSubscriptionId: made.id, verificationCode: code },
    ]);
    expect(code.length).toBeGreaterThanOrEqual(22);
    expect(world.service.pushes[0]).toMatchObject({
      headers: { "content-type": "application/json", ttl: expect.stringMatching(/^\d+$/), urgency: "high" },
    });
    expect(await world.call("get", { ids: null })).toEqual({
      list: [
        { id: made.id, deviceClientId: "device", verificationCode: null, expires: made.expires, types: ["Email"] },
      ],
      notFound: [],
    });
    await world.change("Email");
    for (const wrong of ["", "wrong", `${code}x`]) {
      const { notUpdated } = await world.call("set", { update: { [made.id]: { verificationCode: wrong } } });
      expect(notUpdated).toMatchObject({ [made.id]: { type: "invalidProperties", properties: ["verificationCode"] } });
    }
    await sleep(100);
    expect(world.service.pushes).toHaveLength(1);

    expect(await world.update(made.id, { verificationCode: code })).toBeNull();
    await world.change("Email");
    const email = await world.state("Email");
    await vi.waitFor(() => expect(world.changesAt("/v")).toHaveLength(1), patient);
    expect(world.changesAt("/v")).toEqual([{ "@type": "StateChange", changed: { [world.account]: { Email: email } } }]);
    expect((await world.call("get", {})).list).toMatchObject([{ verificationCode: code }]);
    const { notUpdated } = await world.call("set", { update: { [made.id]: { verificationCode: null } } });
    expect(notUpdated).toMatchObject({ [made.id]: { type: "invalidProperties" } });
    expect(await world.update(made.id, { verificationCode: code })).toBeNull();
  });

  it("misses no change that follows the verification at once", async () => {
    const { id } = await world.create({ url: `${world.service.url}/at-once` });
    const verificationCode = await world.service.code("/at-once");
    await world.client.request([
      ["PushSubscription/set", { update: { [id]: { verificationCode } } }, "a"],
      ["Mailbox/set", { accountId: world.client.account, create: { m: { name: "new" } } }, "b"],
    ]);
    await vi.waitFor(() => expect(world.changesAt("/at-once")).toHaveLength(1), patient);
    expect(world.changesAt("/at-once")[0]).toMatchObject({
      changed: { [world.account]: { Mailbox: await world.state("Mailbox") } },
    });
  });

  it("never returns url or keys", async () => {
    await world.create({ url: `${world.service.url}/secret` });
    for (const name of ["url", "keys"]) {
      expect(await world.call("get", { ids: null, properties: ["id", name] })).toMatchObject({ type: "forbidden" });
    }
    expect(await world.call("get", { properties: ["secretCode"] })).toMatchObject({ type: "invalidArguments" });
    expect((await world.call("get", { properties: ["types"] })).list).toEqual([
      { id: expect.any(String), types: null },
    ]);
  });

  it("takes no account and returns no state", async () => {
    expect(await world.call("get", { accountId: world.client.account })).toMatchObject({ type: "invalidArguments" });
    expect(await world.call("set", { ifInState: "1-0" })).toMatchObject({ type: "invalidArguments" });
    expect(Object.keys(await world.call("set", {})).sort()).toEqual([
      "created",
      "destroyed",
      "notCreated",
      "notDestroyed",
      "notUpdated",
      "updated",
    ]);
  });

  it("names each wrong property", async () => {
    const fine = { deviceClientId: "d", url: `${world.service.url}/no` };
    const key = createECDH("prime256v1").generateKeys("base64url");
    const wrong: [Json, string][] = [
      [{ deviceClientId: undefined }, "deviceClientId"],
      [{ deviceClientId: "" }, "deviceClientId"],
      [{ url: "not a URL" }, "url"],
      [{ url: "ftp://push.example/" }, "url"],
      [{ keys: { p256dh: "AAAA", auth: "AAAA" } }, "keys"],
      [{ keys: { p256dh: key } }, "keys"],
      [{ verificationCode: "code" }, "verificationCode"],
      [{ expires: "2020-01-01T00:00:00Z" }, "expires"],
      [{ expires: "tomorrow" }, "expires"],
      [{ types: "Email" }, "types"],
      [{ id: "p1" }, "id"],
      [{ colour: "red" }, "colour"],
    ];
    for (const [fields, property] of wrong) {
      const given = Object.fromEntries(
        Object.entries({ ...fine, ...fields }).filter(([, value]) => value !== undefined),
      );
      const { notCreated } = await world.call("set", { create: { a: given } });
      expect(notCreated, property).toMatchObject({ a: { type: "invalidProperties", properties: [property] } });
    }
    const all = { url: "not a URL", verificationCode: "", expires: "2020-01-01T00:00:00Z", types: "Email" };
    const { notCreated } = await world.call("set", { create: { a: all } });
    const { properties } = (notCreated as { a: { properties: string[] } }).a;
    expect(properties.sort()).toEqual(["deviceClientId", "expires", "types", "url", "verificationCode"]);
    const strict = await world.startProcess("strict", { allowPrivateTargets: false });
    for (const url of ["http://push.example/", "https://127.0.0.1/", "https://[::1]/"]) {
      const { notCreated } = await world.call("set", { create: { a: { ...fine, url } } }, strict.client(world.login));
      expect(notCreated).toMatchObject({ a: { type: "invalidProperties", properties: ["url"] } });
    }
    await sleep(50);
    expect(world.service.pushes).toEqual([]);
  });

  it("lets neither device, URL nor keys change", async () => {
    const { id } = await world.create({ url: `${world.service.url}/same` });
    for (const patch of [{ url: `${world.service.url}/other` }, { deviceClientId: "other" }, { keys: {} }]) {
      const { notUpdated } = await world.call("set", { update: { [id]: patch } });
      expect(notUpdated).toMatchObject({ [id]: { type: "invalidProperties", properties: Object.keys(patch) } });
    }
    expect(await world.update(id, { url: `${world.service.url}/same`, keys: null })).toBeNull();
  });

  it("bounds how long it lasts, and returns the bound", async () => {
    const url = `${world.service.url}/life`;
    const within = (text: unknown, days: number) => {
      const left = Date.parse(text as string) - Date.now();
      expect(Math.abs(left - days * day)).toBeLessThan(60_000);
    };
    const { id, expires } = await world.create({ url });
    within(expires, 7);
    const soon = new Date(Date.now() + 3 * day).toISOString().replace(/\.\d+/, "");
    expect(await world.create({ url, expires: soon })).not.toHaveProperty("expires");
    within((await world.create({ url, expires: "2099-01-01T00:00:00Z" })).expires, 30);
    expect(await world.update(id, { expires: soon })).toBeNull();
    within((await world.update(id, { expires: "2099-01-01T00:00:00Z" }))!.expires, 30);
    within((await world.update(id, { expires: null }))!.expires, 7);
    const { notUpdated } = await world.call("set", { update: { [id]: { expires: "2020-01-01T00:00:00Z" } } });
    expect(notUpdated).toMatchObject({ [id]: { type: "invalidProperties", properties: ["expires"] } });
  });

  it("is gone for clients and gets no pushes once it has expired", async () => {
    const id = await world.subscribe("/over", {
      expires: new Date(Date.now() + day).toISOString().replace(/\.\d+/, ""),
    });
    world.shift = day + 60_000;
    expect(await world.exists(id)).toBe(false);
    await world.change("Email");
    await vi.waitFor(async () => {
      expect(
        await world.database.run(unprepared("/* test */ SELECT 1 FROM push_subscription WHERE login = $1"), [
          world.login.login,
        ]),
      ).toEqual([]);
    }, patient);
    expect(world.changesAt("/over")).toEqual([]);
  });

  it("is visible to the credential that created it only", async () => {
    const { id } = await world.create({ url: `${world.service.url}/mine` });
    for (const other of [{ credential: "app:abcdef" }, { login: "somebody@home.test" }]) {
      const stranger = world.server.client({ ...world.login, ...other });
      expect(await world.call("get", { ids: [id] }, stranger)).toEqual({ list: [], notFound: [id] });
      expect((await world.call("get", {}, stranger)).list).toEqual([]);
      expect(await world.call("set", { update: { [id]: { types: [] } }, destroy: [id] }, stranger)).toMatchObject({
        notDestroyed: { [id]: { type: "notFound" } },
      });
    }
    expect(await world.exists(id)).toBe(true);
  });

  it("limits how many a login has, and how many it creates in a period", async () => {
    const url = `${world.service.url}/many`;
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`c${n}`, { deviceClientId: `d${n}`, url }]));
    const first = await world.call("set", { create: many });
    expect(Object.keys(first.created as object)).toHaveLength(100);
    expect(first.notCreated).toEqual({ c100: { type: "overQuota", description: expect.any(String) } });
    await world.call("set", {
      destroy: Object.values(first.created as Record<string, { id: string }>).map(({ id }) => id),
    });
    const { notCreated } = await world.call("set", { create: { a: { deviceClientId: "d", url } } });
    expect(notCreated).toMatchObject({ a: { type: "rateLimit" } });
    world.shift = 60_000;
    await world.create({ url });
  });
});
