import { beforeAll, beforeEach, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { createAuthenticator } from "../../auth/authenticator.ts";
import type { Login } from "../../auth/login.ts";
import { newToken } from "../../auth/secrets.ts";
import { silentLog } from "../../base/log.ts";
import { OwnCounts } from "../../base/own-counts.ts";
import type { BusEvent } from "../../push/carrier.ts";
import type { Store } from "../../store/core/store.ts";
import { auditBefore } from "../../store/directory/audit.ts";
import { addWebToken } from "../../store/directory/sign-ins.ts";
import { methods } from "../methods.ts";

type Json = Record<string, unknown>;

const clock = { at: Date.parse("2026-03-01T12:00:00Z"), now: () => new Date(clock.at) };
const hourMs = 3_600_000;
let store: Store;
let login: Login;
let announced: BusEvent[];
let count = 0;

beforeAll(async () => {
  store = await createTestStore({ clock });
});
beforeEach(async () => {
  announced = [];
  const name = `ann${++count}@signed.example`;
  login = testLogin([await createTestAccount(store, name)], { login: name });
});

/** A client that signed in with this credential. */
function client(credential: string): TestClient {
  const services = testServices(store, { bus: { publish: (event) => void announced.push(event) } });
  return new TestClient(methods, services, { ...login, credential });
}
async function call(name: string, args: Json, credential = "password"): Promise<Json> {
  const { responses } = await client(credential).request([[name, args, "c"]]);
  return responses[0]![1];
}

async function signIn(agent: string) {
  const { id, hash, secret } = newToken(client("").services.random, login.userId);
  const row = { id, hash, label: "web", agent, network: "192.0.2.7", login: login.login, userId: login.userId };
  const expiresAt = new Date(clock.at + 12 * hourMs);
  await store.write(login.userId, "server", (tx) => addWebToken(tx, { ...row, createdAt: clock.now(), expiresAt }));
  return { credential: `token:${id}`, secret };
}

test("/get shows browsers and other tokens, and which of them asks", async () => {
  const one = await signIn("Firefox");
  clock.at += hourMs;
  await signIn("Chromium");
  const { list } = await call("SignIn/get", {}, one.credential);
  expect(list).toEqual([
    {
      id: expect.stringMatching(/^l[0-9a-z]{1,10}$/),
      kind: "browser",
      label: "web",
      agent: "Firefox",
      createdAt: "2026-03-01T12:00:00Z",
      expiresAt: "2026-03-02T00:00:00Z",
      lastUsedAt: "2026-03-01T12:00:00Z",
      network: "192.0.2.7",
      isCurrent: true,
    },
    expect.objectContaining({ agent: "Chromium", isCurrent: false }),
  ]);
  expect(JSON.stringify(list)).not.toContain("hash");
  clock.at += 11 * hourMs;
  expect((await call("SignIn/get", {})).list).toMatchObject([{ agent: "Chromium" }]);
});

test("the last use is noted to within an hour, and at once from another network", async () => {
  const { secret } = await signIn("Firefox");
  const from = async (address: string) => {
    // One that remembers nothing verifies each time.
    const authenticator = createAuthenticator({ store, clock, log: silentLog, counts: new OwnCounts({ clock }) });
    await authenticator.authenticate(`Bearer ${secret}`, address);
    const [shown] = (await call("SignIn/get", {})).list as Json[];
    return [shown!.lastUsedAt, shown!.network];
  };
  const first = clock.now().toISOString().replace(".000", "");
  clock.at += hourMs / 2;
  expect(await from("192.0.2.7")).toEqual([first, "192.0.2.7"]);
  const then = clock.now().toISOString().replace(".000", "");
  expect(await from("2001:db8::1")).toEqual([then, "2001:db8:0:0::/64"]);
});

test("ending one removes it, is audited, and tells all processes to check open connections", async () => {
  const [one, other] = [await signIn("Firefox"), await signIn("Chromium")];
  const { list } = await call("SignIn/get", {});
  const id = (list as Json[]).find(({ agent }) => agent === "Firefox")!.id as string;
  const answer = await call("SignIn/set", { destroy: [id, "l1", "w1"] }, other.credential);
  expect(answer).toMatchObject({
    destroyed: [id],
    notDestroyed: { l1: { type: "notFound" }, w1: { type: "notFound" } },
  });
  expect((await call("SignIn/get", {})).list).toMatchObject([{ agent: "Chromium" }]);
  expect(announced).toEqual([{ credential: login.login }]);
  const [audited] = await auditBefore(store.database, login.userId, { before: 1e9, limit: 1 });
  const token = one.credential.slice("token:".length);
  expect(audited).toMatchObject({ who: login.login, what: { act: "credential.revoke", id: token } });
});

test("one can be neither made nor changed", async () => {
  await signIn("Firefox");
  const { list } = await call("SignIn/get", {});
  const id = (list as Json[])[0]!.id as string;
  expect(await call("SignIn/set", { create: { a: {} }, update: { [id]: { label: "other" } } })).toMatchObject({
    notCreated: { a: { type: "forbidden" } },
    notUpdated: { [id]: { type: "invalidProperties", properties: ["label"] } },
  });
});

test("a program with an app password may look, but changes nothing", async () => {
  const app = "app:abcdef";
  expect(await call("SignIn/get", {}, app)).toMatchObject({ list: [] });
  for (const name of ["SignIn/set", "AppPassword/set", "Password/set"]) {
    expect(await call(name, {}, app)).toMatchObject({ type: "forbidden" });
  }
});
