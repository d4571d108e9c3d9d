import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { testAdmin } from "../../test/support/admin.ts";
import { basic, createHttpWorld } from "../../test/support/http-world.ts";
import { softPasskey } from "../../test/support/soft-passkey.ts";
import { cookieOf, webGuest } from "../../test/support/web-guest.ts";
import { addAccount, setPassword } from "../admin/accounts.ts";
import { readAudit } from "../admin/audit.ts";
import { requireSecondFactor, resetSecondFactors, showSecondFactors } from "../admin/second-factors.ts";
import { addAppPassword, addToken } from "../admin/tokens.ts";
import { stepAt, totpCode } from "../auth/totp.ts";
import { OwnCounts } from "../base/own-counts.ts";
import { unprepared } from "../store/core/sql.ts";
import type { Means } from "./means.ts";
import { WebSessions } from "./session.ts";

const world = await createHttpWorld();
const { deps, port } = world;
const { store, bus } = deps.services;
const admin = { ...testAdmin(store), bus };
const password = "correct horse battery";

let late = 0;
const clock = { now: () => new Date(Date.now() + late) };
const means = {
  ...deps.services,
  clock,
  counts: new OwnCounts({ clock }),
  proxies: deps.proxies,
  site: "inbox" as const,
  joining: undefined,
};
const sessions = new WebSessions(means as unknown as Means);
deps.web = { credentials: (req) => sessions.credentials(req), serve: (req, res) => sessions.serve(req, res) };
const minutePasses = () => {
  late += 60_000;
};

const guest = webGuest(port, "mail.here.test");
let accounts = 0;
async function person(domain = "here.test") {
  const address = `person${++accounts}@${domain}`;
  await addAccount(admin, { address, name: "", password, quota: 0 });
  const login = (given = password, more = {}) =>
    guest.post("/auth/login", { username: address, password: given, ...more });
  return {
    address,
    login,
    cookie: cookieOf(await login()),
    session: (given = password) => guest.session({ authorization: basic(address, given) }),
  };
}
type Person = Awaited<ReturnType<typeof person>>;

const base32 = (text: string) => {
  const bits = [...text].map((one) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(one).toString(2).padStart(5, "0"));
  return Buffer.from(
    bits
      .join("")
      .match(/.{8}/g)!
      .map((byte) => Number.parseInt(byte, 2)),
  );
};
/** A code generator for a secret as people type it. */
const generator =
  (secret: unknown) =>
  (by = 0) =>
    totpCode(base32(String(secret)), stepAt(clock.now()) + by);

async function withTotp(one?: Person) {
  const who = one ?? (await person());
  const begun = await guest.post("/auth/factors/totp/begin", { password }, who.cookie);
  const code = generator(begun.body.secret);
  const added = await guest.post("/auth/factors/totp", { ticket: begun.body.ticket, code: code() }, who.cookie);
  expect(added.status).toBe(200);
  minutePasses();
  return { ...who, code, recoveryCodes: added.body.recoveryCodes as string[] };
}

async function withPasskey(one?: Person) {
  const who = one ?? (await person());
  const begun = await guest.post("/auth/factors/passkey/begin", { password }, who.cookie);
  const passkey = softPasskey();
  const made = passkey.create(begun.body.options as never, guest);
  const body = { ticket: begun.body.ticket, passkey: made, label: "laptop" };
  const added = await guest.post("/auth/factors/passkey", body, who.cookie);
  expect(added.status).toBe(200);
  return { ...who, passkey, recoveryCodes: added.body.recoveryCodes as string[] };
}

async function asked(who: Person) {
  const { status, body } = await who.login();
  expect([status, body.step]).toEqual([200, "second-factor"]);
  return body;
}
const prove = async (who: Person, given: object) =>
  guest.post("/auth/second-factor", { ticket: (await asked(who)).ticket, ...given });

async function acts({ address }: Person) {
  const { rows } = await readAudit(admin, address, { limit: 100 });
  return rows.toReversed().map(({ who, what }) => `${who === address ? "self" : who} ${what.act}`);
}

test("a code signs in after the password, once; recovery codes too, each once", async () => {
  const who = await withTotp();
  const step = await asked(who);
  expect(step).toMatchObject({ code: true, passkey: null, recoveryCode: true });
  // The first step gives nothing that opens anything.
  expect(cookieOf(await who.login())).toBe("");
  const right = await prove(who, { code: who.code() });
  expect(right.status).toBe(204);
  expect(await guest.session({ cookie: cookieOf(right) })).toBe(200);
  expect((await prove(who, { code: who.code() })).status).toBe(401);
  expect((await prove(who, { code: who.code(-1) })).status).toBe(401);
  expect((await prove(who, { code: who.code(1) })).status).toBe(204);
  const [code] = who.recoveryCodes;
  expect(who.recoveryCodes).toHaveLength(10);
  expect((await prove(who, { recoveryCode: code!.toUpperCase().replaceAll("-", " ") })).status).toBe(204);
  expect((await prove(who, { recoveryCode: code })).status).toBe(401);
  expect((await acts(who)).filter((one) => one.startsWith("self"))).toEqual([
    "self second-factor.add",
    "self recovery-codes.make",
    "self recovery-code.use",
  ]);
});

test("of two who send one code at once, one is signed in", async () => {
  const who = await withTotp();
  const [one, other] = [await asked(who), await asked(who)];
  const both = [one, other].map(({ ticket }) => guest.post("/auth/second-factor", { ticket, code: who.code() }));
  expect((await Promise.all(both)).map(({ status }) => status).toSorted()).toEqual([204, 401]);
});

test("the secret is sealed, and recovery codes are hashed", async () => {
  const who = await withTotp();
  const { userId } = (
    await store.database.run(
      unprepared<{ userId: number }>('/* test */ SELECT user_id AS "userId" FROM login WHERE login = $1'),
      [who.address],
    )
  )[0]!;
  const rows = await store.database.run(
    unprepared(
      "/* test */ SELECT t.*, encode(r.hash, 'hex') FROM totp t, recovery_code r WHERE t.user_id = $1 AND r.user_id = $1",
    ),
    [userId],
  );
  const text = JSON.stringify(rows);
  expect(rows).toHaveLength(10);
  for (const code of who.recoveryCodes) expect(text).not.toContain(code.replaceAll("-", ""));
  expect((rows[0] as { secret: string }).secret).toMatch(/^[\w-]{60,}$/);
});

test("guesses of a code are few, from wherever they come, and neither a passkey nor a recovery code waits for them", async () => {
  const who = await withTotp();
  const { passkey } = await withPasskey({ ...who, cookie: cookieOf(await prove(who, { code: who.code() })) });
  minutePasses();
  for (let at = 0; at < 6; at++) {
    const from = webGuest(port, "mail.here.test", `198.51.100.${at}`);
    const { ticket } = await asked(who);
    expect((await from.post("/auth/second-factor", { ticket, code: "000000" })).status).toBe(401);
  }
  const right = await prove(who, { code: who.code() });
  expect([right.status, right.headers["retry-after"]]).toEqual([429, "30"]);
  const step = await asked(who);
  expect(
    (
      await guest.post("/auth/second-factor", {
        ticket: step.ticket,
        passkey: passkey.get(step.passkey as never, guest),
      })
    ).status,
  ).toBe(204);
  expect((await prove(who, { recoveryCode: who.recoveryCodes[1] })).status).toBe(204);
  minutePasses();
  expect((await prove(who, { code: who.code() })).status).toBe(204);
});

test("with a second factor, the password alone opens nothing else: app passwords and tokens do", async () => {
  const who = await person();
  expect(await who.session()).toBe(200);
  const open = new WebSocket(`ws://127.0.0.1:${port}/jmap/ws`, "jmap", {
    headers: { authorization: basic(who.address, password) },
  });
  await once(open, "open");
  const closed = once(open, "close");
  await withTotp(who);
  expect((await closed)[0]).toBe(1008);
  expect(await who.session()).toBe(401);
  const refusal = await world.get("/jmap/session", [["Authorization", basic(who.address, password)]]);
  expect(JSON.parse(refusal.body.toString())).toMatchObject({
    status: 401,
    detail: expect.stringContaining("app password"),
  });
  const checked = await deps.authenticator.authenticate(basic(who.address, password), undefined);
  expect(checked).toBe("secondFactor");
  expect(await who.session((await addAppPassword(admin, who.address, "phone")).secret)).toBe(200);
  const { secret } = await addToken(admin, who.address, { label: "", days: undefined });
  expect(await guest.session({ authorization: `Bearer ${secret}` })).toBe(200);
});

test("the first second factor ends what was opened without it, but for the browser that adds it", async () => {
  const who = await person();
  const elsewhere = cookieOf(await who.login());
  await withTotp(who);
  expect(await guest.session({ cookie: elsewhere })).toBe(401);
  expect(await guest.session({ cookie: who.cookie })).toBe(200);
});

test("a new password makes the step before it worthless", async () => {
  const who = await withTotp();
  const { ticket } = await asked(who);
  await setPassword(admin, who.address, "another password");
  expect((await guest.post("/auth/second-factor", { ticket, code: who.code() })).status).toBe(401);
  await setPassword(admin, who.address, password);
  expect((await guest.post("/auth/second-factor", { ticket, code: who.code() })).status).toBe(401);
  expect((await prove(who, { code: who.code() })).status).toBe(204);
});

test("a passkey signs in after the password, or alone", async () => {
  const who = await withPasskey();
  const { passkey, ticket } = await asked(who);
  expect(passkey).toMatchObject({
    rpId: "mail.here.test",
    userVerification: "required",
    allowCredentials: [{ id: who.passkey.id }],
  });
  const second = await guest.post("/auth/second-factor", { ticket, passkey: who.passkey.get(passkey as never, guest) });
  expect(await guest.session({ cookie: cookieOf(second) })).toBe(200);
  const offered = (await guest.post("/auth/passkey/begin", {})).body;
  const answer = { ticket: offered.ticket, passkey: who.passkey.get(offered.options as never, guest), stay: true };
  const alone = await guest.post("/auth/passkey", answer);
  expect(alone.status).toBe(204);
  expect(alone.headers["set-cookie"]![0]).toMatch(
    /^__Host-posthorn=.*; Max-Age=2592000; HttpOnly; Secure; SameSite=Strict$/,
  );
  // Sent again, as by somebody who overheard it.
  expect((await guest.post("/auth/passkey", answer)).status).toBe(401);
});

test("a passkey counts on its own site, for its own account and challenge, when its user was verified", async () => {
  const [who, other] = [await withPasskey(), await withPasskey()];
  const step = await asked(who);
  const options = step.passkey as never;
  const tries = {
    "another origin": who.passkey.get(options, { origin: "https://mail.here.test.evil.test" }),
    "another port": who.passkey.get(options, { origin: `${guest.origin}:444` }),
    "another site": who.passkey.get(options, { ...guest, rpId: "evil.test" }),
    unverified: who.passkey.get(options, { ...guest, isVerified: false }),
    "another challenge": who.passkey.get({ ...(options as object), challenge: "AAAA" } as never, guest),
    "another account's": other.passkey.get(options, guest),
    nothing: undefined,
    junk: { id: who.passkey.id, response: {} },
  };
  for (const [name, passkey] of Object.entries(tries)) {
    const { status } = await guest.post("/auth/second-factor", { ticket: step.ticket, passkey });
    expect([name, status]).toEqual([name, 401]);
  }
  const right = { ticket: step.ticket, passkey: who.passkey.get(options, guest) };
  expect((await guest.post("/auth/second-factor", right)).status).toBe(204);
  // Alone, it is of whom it says: which must be true.
  const offered = (await guest.post("/auth/passkey/begin", {})).body;
  const known = (await guest.post("/auth/factors/passkey/begin", { password }, other.cookie)).body.options as {
    user: { id: string };
  };
  const pretended = who.passkey.get(offered.options as never, { ...guest, userHandle: known.user.id });
  expect((await guest.post("/auth/passkey", { ticket: offered.ticket, passkey: pretended })).status).toBe(401);
});

test("a copy of a passkey that counts less is found out", async () => {
  const who = await withPasskey();
  const use = async () => {
    const { ticket, passkey } = await asked(who);
    return { ticket, passkey: who.passkey.get(passkey as never, guest) };
  };
  const [before, after] = [await use(), await use()];
  expect((await guest.post("/auth/second-factor", after)).status).toBe(204);
  expect((await guest.post("/auth/second-factor", before)).status).toBe(401);
});

test("a passkey is made for this page, with its user verified, and not for a bare address or without encryption", async () => {
  const who = await person();
  const { body } = await guest.post("/auth/factors/passkey/begin", { password }, who.cookie);
  expect(body.options).toMatchObject({
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
  });
  for (const place of [
    { origin: "https://evil.test" },
    { ...guest, rpId: "evil.test" },
    { ...guest, isVerified: false },
  ]) {
    const passkey = softPasskey().create(body.options as never, place);
    const refused = await guest.post("/auth/factors/passkey", { ticket: body.ticket, passkey, label: "" }, who.cookie);
    expect([refused.status, refused.body.code]).toEqual([422, "passkey-wrong"]);
  }
  const bare = webGuest(port, "192.0.2.9");
  expect((await bare.post("/auth/passkey/begin", {})).status).toBe(404);
  const plain = { "x-forwarded-proto": "http" };
  expect((await guest.post("/auth/passkey/begin", {}, "", plain)).status).toBe(404);
});

test("second factors change in their owner's presence: with a sign-in of one's own, and the password", async () => {
  const [who, other] = [await person(), await person()];
  const begin = (body: object, cookie: string) => guest.post("/auth/factors/totp/begin", body, cookie);
  expect((await begin({ password }, "")).status).toBe(401);
  expect((await begin({}, who.cookie)).status).toBe(400);
  const wrong = await begin({ password: "wrong" }, who.cookie);
  expect([wrong.status, wrong.body.code]).toEqual([403, "password-wrong"]);
  const app = (await addAppPassword(admin, who.address, "phone")).secret;
  expect((await begin({ password: app }, who.cookie)).status).toBe(403);
  const { body } = await begin({ password }, who.cookie);
  const code = generator(body.secret)();
  // Begun by one, it is nothing for another, nor for who is not signed in.
  for (const cookie of [other.cookie, ""]) {
    expect((await guest.post("/auth/factors/totp", { ticket: body.ticket, code }, cookie)).status).toBe(401);
  }
  const guessed = await guest.post("/auth/factors/totp", { ticket: body.ticket, code: "12345" }, who.cookie);
  expect([guessed.status, guessed.body.code]).toEqual([422, "code-wrong"]);
  expect((await guest.post("/auth/factors/totp", { ticket: body.ticket, code }, who.cookie)).status).toBe(200);
  const again = await guest.post("/auth/factors/totp", { ticket: body.ticket, code }, who.cookie);
  expect([again.status, again.body.code]).toEqual([409, "exists"]);
  // The code that proved the generator signs nobody in.
  expect((await prove(who, { code })).status).toBe(401);
});

test("pages of other origins do none of this (CSRF)", async () => {
  const who = await person();
  for (const path of [
    ...["login", "second-factor", "passkey/begin", "passkey", "factors/totp/begin", "factors/totp"],
    ...["factors/passkey/begin", "factors/passkey", "factors/remove", "recovery-codes", "recover"],
  ]) {
    for (const site of ["cross-site", "same-site", "none"]) {
      const { status } = await guest.post(`/auth/${path}`, { password }, who.cookie, { "sec-fetch-site": site });
      expect([path, status]).toEqual([path, 403]);
    }
  }
});

test("a cookie that was in the browser before signing in is not the one after (fixation)", async () => {
  const who = await withTotp();
  const attacker = await person();
  const { ticket } = await asked(who);
  const signedIn = await guest.post("/auth/second-factor", { ticket, code: who.code() }, attacker.cookie);
  expect(cookieOf(signedIn)).not.toBe(attacker.cookie);
  expect(await guest.session({ cookie: attacker.cookie })).toBe(401);
});

test("removing the last one lets the password alone sign in again; new recovery codes replace the old", async () => {
  const who = await withPasskey();
  const renewed = await guest.post("/auth/recovery-codes", { password }, who.cookie);
  expect(renewed.body.recoveryCodes).toHaveLength(10);
  expect((await prove(who, { recoveryCode: who.recoveryCodes[0] })).status).toBe(401);
  expect((await guest.post("/auth/factors/remove", { password, id: "totp" }, who.cookie)).status).toBe(404);
  expect((await guest.post("/auth/factors/remove", { password, id: who.passkey.id }, who.cookie)).status).toBe(204);
  expect((await who.login()).status).toBe(204);
  expect(await acts(who)).toContain("self second-factor.remove");
});

test("where the domain requires one, who has none sets it up while signing in, and cannot do without it later", async () => {
  const who = await person("strict.test");
  await requireSecondFactor(admin, "strict.test", true);
  bus.publish({ credential: who.address });
  expect(await who.session()).toBe(401);
  // Also a sign-in of before.
  expect(await guest.session({ cookie: who.cookie })).toBe(401);
  const { body: step } = await who.login();
  expect(step).toMatchObject({ step: "set-up", passkeys: true });
  expect(await guest.session({ cookie: cookieOf(await who.login()) })).toBe(401);
  const { ticket } = step;
  const begun = (await guest.post("/auth/factors/totp/begin", { ticket })).body;
  const code = generator(begun.secret);
  const added = await guest.post("/auth/factors/totp", { ticket: begun.ticket, code: code() });
  expect(added.body.recoveryCodes).toHaveLength(10);
  const cookie = cookieOf(added);
  expect(await guest.session({ cookie })).toBe(200);
  // Somebody who knew the password had begun too.
  const second = await guest.post("/auth/factors/totp", { ticket: begun.ticket, code: code(1) });
  expect([second.status, cookieOf(second)]).toEqual([401, ""]);
  const removed = await guest.post("/auth/factors/remove", { password, id: "totp" }, cookie);
  expect([removed.status, removed.body.code]).toEqual([409, "needed"]);
  await resetSecondFactors(admin, who.address);
  expect(await showSecondFactors(admin, who.address)).toMatchObject({ isNeeded: true, factors: [], recoveryCodes: 0 });
  expect(await guest.session({ cookie })).toBe(401);
  expect((await who.login()).body.step).toBe("set-up");
  await requireSecondFactor(admin, "strict.test", false);
  bus.publish({ credential: who.address });
  expect((await who.login()).status).toBe(204);
});

test("a recovery code gives who forgot the password a new one, and the second factor is still asked for", async () => {
  const who = await withTotp();
  const recover = (more: object, from = guest) =>
    from.post("/auth/recover", {
      username: who.address,
      recoveryCode: who.recoveryCodes[0],
      password: "a new password",
      ...more,
    });
  const short = await recover({ password: "short" });
  expect([short.status, short.body.code]).toEqual([422, "password-short"]);
  expect((await recover({ password: "password1" })).body.code).toBe("password-common");
  // The same words for a wrong code, an address without an account, and the code of another.
  const other = await withTotp();
  const refusals = [
    await recover({ recoveryCode: "aaaa-aaaa-aaaa-aaaa" }),
    await recover({ username: "nobody@here.test" }),
    await recover({ recoveryCode: other.recoveryCodes[0] }),
  ];
  expect(new Set(refusals.map(({ status, body }) => `${status} ${body.detail}`)).size).toBe(1);
  expect(refusals[0]!.status).toBe(401);
  expect((await recover({})).status).toBe(204);
  expect((await recover({})).status).toBe(401);
  expect((await who.login()).status).toBe(401);
  expect((await who.login("a new password")).body.step).toBe("second-factor");
  expect(await guest.session({ cookie: who.cookie })).toBe(401);
  expect((await acts(who)).slice(-2)).toEqual(["self recovery-code.use", "self account.password"]);
  const guesser = webGuest(port, "mail.here.test", "203.0.113.7");
  for (let at = 0; at < 6; at++) expect((await recover({ username: "victim@here.test" }, guesser)).status).toBe(401);
  expect((await recover({ username: "victim@here.test" }, guesser)).status).toBe(429);
});

test("signing in tells nobody which addresses there are", async () => {
  const who = await withTotp();
  const wrong = await who.login("wrong");
  const unknown = await guest.post("/auth/login", { username: "nobody2@here.test", password: "wrong" });
  expect([wrong.status, wrong.body]).toEqual([unknown.status, unknown.body]);
});

test("nothing of all this was logged as an error", () => {
  expect(world.failures).toEqual([]);
});
