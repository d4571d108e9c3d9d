import { beforeAll, beforeEach, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createTestStore } from "../../../test/support/postgres.ts";
import type { Login } from "../../auth/login.ts";
import { hashPassword, newToken } from "../../auth/secrets.ts";
import type { BusEvent } from "../../push/carrier.ts";
import type { Store } from "../../store/core/store.ts";
import { auditBefore } from "../../store/directory/audit.ts";
import { createAccount } from "../../store/directory/directory.ts";
import { addWebToken } from "../../store/directory/sign-ins.ts";
import { listCredentials } from "../../store/directory/tokens.ts";
import type { Services } from "../method.ts";
import { methods } from "../methods.ts";

type Json = Record<string, unknown>;

let store: Store;
let services: Services;
let login: Login;
let announced: BusEvent[];
let passwordHash: string;
let count = 0;

beforeAll(async () => {
  store = await createTestStore();
  passwordHash = await hashPassword("old password");
});
beforeEach(async () => {
  announced = [];
  services = testServices(store, { bus: { publish: (event) => void announced.push(event) } });
  const address = `ann${++count}@changed.example`;
  login = testLogin([await createAccount(store, { address, passwordHash })], { login: address });
});

async function call(name: string, args: Json, credential = "password"): Promise<Json> {
  const client = new TestClient(methods, services, { ...login, credential });
  const { responses } = await client.request([[name, args, "c"]]);
  return responses[0]![1];
}
const change = (currentPassword: unknown, password: unknown, credential?: string) =>
  call("Password/set", { update: { singleton: { currentPassword, password } } }, credential);
/** Asked of a process that remembers nothing. */
const opens = async (password: string) =>
  (await testServices(store).authenticator.checkFirstFactor(login.login, password, undefined)) !== undefined;

async function signIn(): Promise<string> {
  const { id, hash } = newToken(services.random, login.userId);
  const row = { id, hash, label: "web", agent: null, network: null, login: login.login, userId: login.userId };
  const times = { createdAt: new Date(), expiresAt: new Date(Date.now() + 3_600_000) };
  await store.write(login.userId, "server", (tx) => addWebToken(tx, { ...row, ...times }));
  return `token:${id}`;
}

test("the new password opens the account, and other browsers are signed out", async () => {
  const [mine] = [await signIn(), await signIn()];
  const answer = await change("old password", "new pässword", mine);
  expect(answer).toMatchObject({ updated: { singleton: null }, notUpdated: null });
  expect(JSON.stringify(answer)).not.toContain('password"');
  expect([await opens("new pässword"), await opens("old password")]).toEqual([true, false]);
  const left = await listCredentials(store.database, { login: login.login, userId: login.userId });
  expect(left.map(({ id }) => `token:${id}`)).toEqual([mine]);
  expect(announced).toEqual([{ credential: login.login }]);
  const [audited] = await auditBefore(store.database, login.userId, { before: 1e9, limit: 1 });
  expect(audited).toMatchObject({ who: login.login, what: { act: "account.password" } });
});

test.each([
  ["a wrong one", "wrong password", "new password", ["currentPassword"]],
  ["none", null, "new password", ["currentPassword"]],
  ["no new one", "old password", null, ["password"]],
  ["a short one", "old password", "seven 7", ["password"]],
  ["a long one", "old password", "x".repeat(1001), ["password"]],
  ["two wrong types", 1, 2, ["currentPassword", "password"]],
])("%s changes nothing", async (_, current, next, properties) => {
  expect(await change(current, next)).toMatchObject({
    updated: null,
    notUpdated: { singleton: { type: "invalidProperties", properties } },
  });
  expect(await opens("old password")).toBe(true);
  expect(announced).toEqual([]);
});

test("an app password is not the current password", async () => {
  const made = await call("AppPassword/set", { create: { a: { label: "phone" } } });
  const { secret } = (made.created as Record<string, { secret: string }>).a!;
  expect(await change(secret, "new password")).toMatchObject({
    notUpdated: { singleton: { properties: ["currentPassword"] } },
  });
});

test("guesses are throttled as at signing in", async () => {
  for (let at = 0; at < 6; at++) await change("wrong", "new password");
  expect(await change("old password", "new password")).toMatchObject({
    notUpdated: { singleton: { type: "rateLimit" } },
  });
});

test("of two changes at once, one finds that the password is another by now", async () => {
  const answers = await Promise.all([
    change("old password", "new one of one"),
    change("old password", "new one of two"),
  ]);
  expect(answers.filter(({ updated }) => updated)).toHaveLength(1);
});
