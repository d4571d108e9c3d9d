import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { createTestStore } from "../../test/support/postgres.ts";
import { silentLog } from "../base/log.ts";
import { OwnCounts } from "../base/own-counts.ts";
import { unprepared } from "../store/core/sql.ts";
import { createAccount, removeAlias, shareAccount } from "../store/directory/directory.ts";
import { findLogin, setPassword } from "../store/directory/logins.ts";
import { addAppPassword, addToken, revokeCredential } from "../store/directory/tokens.ts";
import { removeAccount } from "../store/upkeep/removal.ts";
import { createAuthenticator } from "./authenticator.ts";
import { hashPassword, newAppPassword, newToken, tokenHash } from "./secrets.ts";

let now = Date.now();
const clock = { now: () => new Date(now) };
let statements = 0;
const store = await createTestStore({ clock, observe: () => statements++ });
const log = silentLog;
const basic = (login: string, password: string) => `Basic ${Buffer.from(`${login}:${password}`).toString("base64")}`;
let logins = 0;

async function setUp() {
  const login = `user${++logins}@auth.example`;
  const userId = await createAccount(store, { address: login, passwordHash: await hashPassword("right: one") });
  return { login, userId, authenticator: createAuthenticator({ store, clock, log, counts: new OwnCounts({ clock }) }) };
}

test("the right password opens the account, whatever the case of the login", async () => {
  const { login, userId, authenticator } = await setUp();
  const found = await authenticator.authenticate(basic(login.toUpperCase(), "right: one"), "192.0.2.1");
  expect(found).toMatchObject({ login, userId, credential: "password" });
  expect(found).toHaveProperty("accounts", [{ id: userId, name: login, isPersonal: true, isReadOnly: false }]);
  expect(await authenticator.checkPassword(login, "wrong", "192.0.2.1")).toBeUndefined();
  expect(await authenticator.checkPassword("nobody@auth.example", "right: one", "192.0.2.1")).toBeUndefined();
  for (const header of [undefined, "", "Basic", "Basic !!", "Digest x", `Basic ${btoa("nocolon")}`, "Bearer x y"]) {
    expect(await authenticator.authenticate(header, "192.0.2.1")).toBeUndefined();
  }
  expect(await authenticator.checkPassword(`${login}\0`, "right: one", "192.0.2.1")).toBeUndefined();
});

test("a verified credential is not looked up again for minutes, and simultaneous first uses share one lookup", async () => {
  const { login, authenticator } = await setUp();
  const other = await setUp();
  statements = 0;
  await other.authenticator.authenticate(basic(other.login, "right: one"), "192.0.2.1");
  const alone = statements;
  statements = 0;
  const header = basic(login, "right: one");
  await Promise.all(Array.from({ length: 20 }, () => authenticator.authenticate(header, "192.0.2.1")));
  const first = statements;
  expect(first).toBeLessThanOrEqual(alone);
  expect(alone).toBeLessThan(10);
  await authenticator.authenticate(header, "192.0.2.1");
  expect(statements).toBe(first);
  now += 6 * 60_000;
  await authenticator.authenticate(header, "192.0.2.1");
  expect(statements).toBeGreaterThan(first);
});

test("a credential is verified once, however the field and the login are written", async () => {
  const { login, authenticator } = await setUp();
  const usual = basic(login, "right: one");
  const [, value] = usual.split(" ");
  expect(await authenticator.authenticate(usual, "192.0.2.1")).toMatchObject({ login });
  statements = 0;
  const others = [`basic ${value}`, `Basic   ${value} `, `Basic ${value}!`, basic(login.toUpperCase(), "right: one")];
  for (const field of others)
    expect(await authenticator.authenticate(field, "192.0.2.1"), field).toMatchObject({ login });
  expect(await authenticator.checkPassword(login, "right: one", "192.0.2.1")).toMatchObject({ login });
  expect(statements).toBe(0);
});

test("after a password change the old password is refused as soon as the cache forgets the login", async () => {
  const { login, authenticator } = await setUp();
  expect(await authenticator.checkPassword(login, "right: one", "192.0.2.1")).toBeDefined();
  await setPassword(store, login, await hashPassword("new"));
  authenticator.forget(login);
  expect(await authenticator.checkPassword(login, "right: one", "192.0.2.1")).toBeUndefined();
  expect(await authenticator.checkPassword(login, "new", "192.0.2.1")).toBeDefined();
});

test("app passwords and tokens open the account until they are revoked or expire", async () => {
  const { login, userId, authenticator } = await setUp();
  const app = newAppPassword(randomBytes);
  await addAppPassword(store, { login, userId, id: app.id, label: "", hash: await hashPassword(app.secret) });
  const token = newToken(randomBytes, userId);
  const expiresAt = new Date(now + 60_000);
  await addToken(store, { login, userId, id: token.id, label: "", hash: token.hash, expiresAt });
  const other = await createAccount(store, { address: `other.${login}`, passwordHash: "" });
  await shareAccount(store, login, other);

  const byApp = await authenticator.checkPassword(login, app.secret, "192.0.2.1");
  expect(byApp).toMatchObject({ credential: `app:${app.id}`, accounts: [{ id: userId }, { id: other }] });
  const byToken = () => authenticator.authenticate(`Bearer ${token.secret}`, "192.0.2.1");
  expect(await byToken()).toMatchObject({ login, credential: `token:${token.id}` });
  now += 60_001;
  expect(await byToken()).toBeUndefined();

  await revokeCredential(store.database, { login, userId }, app.id);
  authenticator.forget(login);
  expect(await authenticator.checkPassword(login, app.secret, "192.0.2.1")).toBeUndefined();
  expect(await authenticator.checkPassword(login, "right: one", "192.0.2.1")).toBeDefined();
});

test("a token names its account, and a token from before 0.2, which does not, still opens it", async () => {
  const { login, userId, authenticator } = await setUp();
  const [stranger, token] = [await setUp(), newToken(randomBytes, userId)];
  const old = `posthorn_${randomBytes(32).toString("base64url")}`;
  const options = { login, userId, label: "", expiresAt: undefined };
  await addToken(store, { ...options, id: "new", hash: token.hash });
  await addToken(store, { ...options, id: "old", hash: tokenHash(old) });
  const bear = (secret: string) => authenticator.authenticate(`Bearer ${secret}`, "192.0.2.1");
  expect(token.secret.split(".")[0]).toBe(`posthorn_${userId}`);
  expect(await bear(token.secret)).toMatchObject({ login, userId, credential: "token:new" });
  expect(await bear(old)).toMatchObject({ login, userId, credential: "token:old" });
  const elsewhere = token.secret.replace(`${userId}`, `${stranger.userId}`);
  for (const wrong of [elsewhere, `${token.secret}x`, `${old}x`, `posthorn_${"9".repeat(30)}.x`]) {
    expect(await bear(wrong), wrong).toBeUndefined();
  }
});

test("a login that was deleted and created again accepts none of its old credentials", async () => {
  const { login, userId, authenticator } = await setUp();
  const [app, token] = [newAppPassword(randomBytes), newToken(randomBytes, userId)];
  await addAppPassword(store, { login, userId, id: app.id, label: "", hash: await hashPassword(app.secret) });
  await addToken(store, { login, userId, id: token.id, label: "", hash: token.hash, expiresAt: undefined });
  await removeAlias(store.database, login, userId);
  const again = await createAccount(store, { address: login, passwordHash: await hashPassword("again") });
  expect(await authenticator.checkPassword(login, "again", "192.0.2.1")).toMatchObject({ userId: again });
  expect(await authenticator.checkPassword(login, app.secret, "192.0.2.1")).toBeUndefined();
  expect(await authenticator.authenticate(`Bearer ${token.secret}`, "192.0.2.1")).toBeUndefined();
});

test("guessing is throttled, but a credential verified before still works", async () => {
  const { login, authenticator } = await setUp();
  expect(await authenticator.checkPassword(login, "right: one", "192.0.2.1")).toBeDefined();
  const guesses = await Promise.all(
    Array.from({ length: 20 }, (_, index) => authenticator.checkPassword(login, `guess ${index}`, "192.0.2.2")),
  );
  expect(guesses.filter((outcome) => outcome === undefined).length).toBeLessThan(8);
  expect(guesses).toContain("throttled");
  expect(await authenticator.checkPassword(login, "guess", "192.0.2.3")).toBe("throttled");
  expect(await authenticator.checkPassword(login, "right: one", "192.0.2.1")).toBeDefined();
  now += 3600_001;
  expect(await authenticator.checkPassword(login, "right: one", "192.0.2.3")).toBeDefined();
});

test("guesses from elsewhere do not lock a login out where it is at home", async () => {
  const { login, authenticator } = await setUp();
  expect(await authenticator.checkPassword(login, "right: one", "192.0.2.1")).toBeDefined();
  for (let count = 0; count < 10; count++) await authenticator.checkPassword(login, `guess ${count}`, "192.0.2.2");
  now += 6 * 60_000;
  await authenticator.checkPassword(login, "guess", "192.0.2.2");
  authenticator.forget(login);
  expect(await authenticator.checkPassword(login, "right: one", "192.0.2.3")).toBe("throttled");
  expect(await authenticator.checkPassword(login, "right: one", "192.0.2.1")).toMatchObject({ login });
  expect(await authenticator.checkPassword(login, "guess", "192.0.2.2")).toBe("throttled");
  const guesses = Array.from({ length: 10 }, (_, index) =>
    authenticator.checkPassword(login, `home ${index}`, "192.0.2.1"),
  );
  expect(await Promise.all(guesses)).toContain("throttled");
});

test("after a restart, guesses from elsewhere still do not lock a login out where it was at home", async () => {
  const { login, authenticator } = await setUp();
  expect(await authenticator.checkPassword(login, "right: one", "192.0.2.1")).toBeDefined();
  const restarted = createAuthenticator({ store, clock, log, counts: new OwnCounts({ clock }) });
  for (let count = 0; count < 20; count++) await restarted.checkPassword(login, `guess ${count}`, "192.0.2.2");
  expect(await restarted.checkPassword(login, "right: one", "192.0.2.3")).toBe("throttled");
  expect(await restarted.checkPassword(login, "right: one", "192.0.2.1")).toMatchObject({ login });
  // The password was right there too, though the cache answered.
  expect(await restarted.checkPassword(login, "right: one", "192.0.2.7")).toMatchObject({ login });
  const third = createAuthenticator({ store, clock, log, counts: new OwnCounts({ clock }) });
  for (let count = 0; count < 20; count++) await third.checkPassword(login, `guess ${count}`, "192.0.2.2");
  expect(await third.checkPassword(login, "right: one", "192.0.2.7")).toMatchObject({ login });
  // Guesses at other logins from there do not lock it out either.
  const again = createAuthenticator({ store, clock, log, counts: new OwnCounts({ clock }) });
  for (let count = 0; count < 40; count++) await again.checkPassword(`x${count}@auth.example`, "guess", "192.0.2.1");
  expect(await again.checkPassword("x@auth.example", "guess", "192.0.2.1")).toBe("throttled");
  expect(await again.checkPassword(login, "right: one", "192.0.2.1")).toMatchObject({ login });
});

test("at home, the owner does not wait for guesses from elsewhere", async () => {
  const { login, authenticator } = await setUp();
  expect(await authenticator.checkPassword(login, "right: one", "192.0.2.1")).toBeDefined();
  const restarted = createAuthenticator({ store, clock, log, counts: new OwnCounts({ clock }) });
  let over = 0;
  const guesses = Array.from({ length: 60 }, async (_, index) => {
    await restarted.checkPassword(`wait${index}@auth.example`, "guess", `198.51.${index}.1`);
    over++;
  });
  expect(await restarted.checkPassword(login, "right: one", "192.0.2.1")).toMatchObject({ login });
  expect(over).toBeLessThan(30);
  await Promise.all(guesses);
});

const rows = unprepared<{ network: Buffer; seen_at: Date }>(
  "SELECT network, seen_at FROM known_network WHERE user_id = $1 ORDER BY seen_at",
);

test("known networks are hashed, at most 32 a login, written once a day, and removed after 90 days or with the account", async () => {
  const { login, userId, authenticator } = await setUp();
  const known = () => store.database.run(rows, [userId]);
  const enter = async (address: string) => {
    authenticator.forget(login);
    expect(await authenticator.checkPassword(login, "right: one", address)).toMatchObject({ login });
  };
  await enter("192.0.2.1");
  const [first] = await known();
  expect(first!.network).toHaveLength(32);
  now += 3600_000;
  await enter("192.0.2.1");
  // Another process does not write it either.
  await createAuthenticator({ store, clock, log, counts: new OwnCounts({ clock }) }).checkPassword(
    login,
    "right: one",
    "192.0.2.1",
  );
  expect(await known()).toEqual([first]);
  now += 86_400_000;
  await enter("192.0.2.1");
  expect((await known()).map(({ seen_at: seen }) => seen.getTime())).toEqual([now]);
  for (let index = 0; index < 34; index++) {
    now += 1000;
    await enter(`198.51.100.${index}`);
  }
  expect(await known()).toHaveLength(32);
  expect((await known()).some(({ network }) => network.equals(first!.network))).toBe(false);

  now += 91 * 86_400_000;
  for (const other of [createAuthenticator({ store, clock, log, counts: new OwnCounts({ clock }) }), authenticator]) {
    for (let count = 0; count < 8; count++) await other.checkPassword(login, `guess ${count}`, "192.0.2.2");
    expect(await other.checkPassword(login, "right: one", "198.51.100.33")).toBe("throttled");
  }
  now += 3600_001;
  await enter("198.51.100.99");
  expect(await known()).toHaveLength(1);
  await removeAccount(store, userId);
  expect(await known()).toEqual([]);
});

test("where a token is used, its login is not at home", async () => {
  const { login, userId, authenticator } = await setUp();
  const token = newToken(randomBytes, userId);
  await addToken(store, { login, userId, id: token.id, label: "", hash: token.hash, expiresAt: undefined });
  for (let uses = 0; uses < 3; uses++)
    expect(await authenticator.authenticate(`Bearer ${token.secret}`, "198.51.100.77")).toMatchObject({ login });
  expect(await store.database.run(rows, [userId])).toEqual([]);
});

test("a login without a known address is at home nowhere", async () => {
  const { login, userId, authenticator } = await setUp();
  expect(await authenticator.authenticate(basic(login, "right: one"), undefined)).toMatchObject({ login });
  expect(await store.database.run(rows, [userId])).toEqual([]);
});

test("behind a proxy that is not trusted, guesses are throttled per login only", async () => {
  const { login, authenticator } = await setUp();
  const guess = (name: string, secret: string) => authenticator.authenticate(basic(name, secret), undefined);
  for (let count = 0; count < 40; count++) expect(await guess(`p${count}@auth.example`, "guess")).toBeUndefined();
  expect(await guess(login, "right: one")).toMatchObject({ login });
  const guesses = Array.from({ length: 10 }, (_, index) => guess(login, `guess ${index}`));
  expect(await Promise.all(guesses)).toContain("throttled");
});

test("guesses at many logins at once do not make others wait", async () => {
  const { login, authenticator } = await setUp();
  const guesses = Array.from({ length: 300 }, (_, index) =>
    authenticator.checkPassword(`many${index}@auth.example`, "guess", "192.0.2.5"),
  );
  expect(await authenticator.checkPassword(login, "right: one", "192.0.2.6")).toMatchObject({ login });
  const outcomes = await Promise.all(guesses);
  expect(outcomes.filter((outcome) => outcome === undefined).length).toBeLessThan(40);
});

test("an unknown login takes as long as a wrong password", async () => {
  const { login, authenticator } = await setUp();
  const time = async (name: string) => {
    const begin = performance.now();
    await authenticator.checkPassword(name, `wrong ${Math.random()}`, "192.0.2.1");
    return performance.now() - begin;
  };
  await time("warm@auth.example");
  const [unknown, wrong] = [await time("nobody@auth.example"), await time(login)];
  expect(unknown).toBeGreaterThan(wrong / 4);
});

test("an unreachable database does not count as a wrong password", async () => {
  const { login } = await setUp();
  const { database } = store;
  let isAway = true;
  const run: typeof database.run = (...statement) =>
    isAway ? Promise.reject(new Error("away")) : database.run(...statement);
  const shaky = Object.create(store, { database: { value: { run } } });
  const authenticator = createAuthenticator({ store: shaky, clock, log, counts: new OwnCounts({ clock }) });
  for (let count = 0; count < 20; count++) {
    await expect(authenticator.checkPassword(login, "right: one", "192.0.2.1")).rejects.toThrow("away");
  }
  isAway = false;
  expect(await authenticator.checkPassword(login, "right: one", "192.0.2.1")).toMatchObject({ login });
});

test("a login is away in a network that is new to it, for three days, while another is known for longer", async () => {
  const { login, userId, authenticator } = await setUp();
  const from = async (address: string) => {
    // A login's networks are remembered for an hour.
    now += 61 * 60_000;
    const found = await authenticator.authenticate(basic(login, "right: one"), address);
    // Or nobody could sign in to the pages from a new network.
    const { passwordHash } = (await findLogin(store.database, login))!;
    if (typeof found === "object") expect(authenticator.wasVerifiedBy(found, passwordHash)).toBe(true);
    return typeof found === "object" ? (found.isAway ?? false) : found;
  };
  expect(await from("192.0.2.1")).toBe(false);
  expect(await from("198.51.100.1")).toBe(true);
  expect(await from("192.0.2.1")).toBe(false);
  const { secret, id, hash } = newToken(randomBytes, userId);
  await addToken(store, { login, userId, id, hash, label: "", expiresAt: undefined });
  expect(await authenticator.authenticate(`Bearer ${secret}`, "203.0.113.1")).toMatchObject({ isAway: true });
  expect(await authenticator.authenticate(`Bearer ${secret}`, "192.0.2.1")).not.toHaveProperty("isAway");
  now += 3 * 86_400_000;
  expect(await from("198.51.100.1")).toBe(false);
  // Whoever is only in one network is at home there.
  const other = await setUp();
  const header = basic(other.login, "right: one");
  expect(await other.authenticator.authenticate(header, "203.0.113.9")).not.toHaveProperty("isAway");
});
