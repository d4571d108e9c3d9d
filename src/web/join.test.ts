import { expect, test } from "vitest";
import { testAdmin } from "../../test/support/admin.ts";
import { createHttpWorld, known } from "../../test/support/http-world.ts";
import { cookieOf, webGuest } from "../../test/support/web-guest.ts";
import { addAccount } from "../admin/accounts.ts";
import { readAudit } from "../admin/audit.ts";
import { ensureDomain } from "../admin/domains.ts";
import { invite, listInvites, revokeInvite } from "../admin/invites.ts";
import { requireSecondFactor } from "../admin/second-factors.ts";
import { unprepared } from "../store/core/sql.ts";
import { findLogin } from "../store/directory/logins.ts";

const world = await createHttpWorld();
const { store, bus } = world.deps.services;
const admin = { ...testAdmin(store), bus };
for (const name of ["here.test", "open.test", "other.test"]) await ensureDomain(admin, name);
const password = "correct horse battery";
const week = { domain: "here.test", days: 7 };

/** Each from a network of its own, as limits are by network. */
let networks = 0;
const stranger = () => webGuest(world.port, "mail.here.test", `198.51.100.${++networks}`);
const join = (body: object, from = stranger()) => from.post("/auth/join", { password, ...body });

test("an invitation makes one account, with an address and a password of the guest's choice, and signs in", async () => {
  const { token, id } = await invite(admin, week);
  const from = stranger();
  const { body } = await from.post("/auth/invitation", { token });
  expect(body).toEqual({ domain: "here.test", address: null, expiresAt: expect.stringMatching(/Z$/) });
  const joined = await join({ token, address: "New.Guest@here.test" }, from);
  expect(joined.status).toBe(204);
  expect(await from.session({ cookie: cookieOf(joined) })).toBe(200);
  expect((await from.post("/auth/login", { username: "new.guest@here.test", password })).status).toBe(204);
  const again = await join({ token, address: "second@here.test" });
  expect([again.status, again.body.code]).toEqual([422, "not-invited"]);
  expect((await from.post("/auth/invitation", { token })).status).toBe(404);
  const { rows } = await readAudit(admin, "new.guest@here.test", { limit: 9 });
  expect(rows.map(({ who, what }) => [who, what.act])).toEqual([[`invite:${id}`, "account.add"]]);
});

test("of many who use one invitation at once, one gets an account, and nobody else a login", async () => {
  const { token } = await invite(admin, week);
  const names = ["race1", "race2", "race3", "race4"].map((name) => `${name}@here.test`);
  const answers = await Promise.all(names.map((address) => join({ token, address })));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 422, 422, 422]);
  const logins = await Promise.all(names.map((name) => findLogin(store.database, name)));
  expect(logins.filter((one) => one !== undefined)).toHaveLength(1);
});

test("of two who want one address at once, one gets it whole; the other's invitation stays good", async () => {
  const [one, other] = [await invite(admin, week), await invite(admin, week)];
  const address = "wanted@here.test";
  const answers = await Promise.all(
    [one, other].map(({ token }, at) => join({ token, address, password: `${password} ${at}` })),
  );
  expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409]);
  const winner = answers.findIndex(({ status }) => status === 204);
  const signedIn = await stranger().post("/auth/login", { username: address, password: `${password} ${winner}` });
  expect(signedIn.status).toBe(204);
  const rows = await store.database.run(
    unprepared(
      `/* test */ SELECT a.user_id = l.user_id AS same FROM address a, login l WHERE a.address = $1 AND l.login = $1`,
    ),
    [address],
  );
  expect(rows).toEqual([{ same: true }]);
  expect((await join({ token: [other, one][winner]!.token, address: "loser@here.test" })).status).toBe(204);
});

test("a taken address, a poor password and a strange address are told apart, and use nothing up", async () => {
  const { token } = await invite(admin, week);
  const faults = async (body: object) => {
    const { status, body: answer } = await join({ token, address: "guest2@here.test", ...body });
    return [status, answer.code];
  };
  expect(await faults({ address: known.user })).toEqual([409, "taken"]);
  expect(await faults({ password: "short" })).toEqual([422, "password-short"]);
  expect(await faults({ password: "password123" })).toEqual([422, "password-common"]);
  expect(await faults({ password: "guest2@here.test" })).toEqual([422, "password-address"]);
  // What would take another's mail, or look like another.
  const strange = ["ada+x", "a..b", ".a", "a.", "аda", '"a b"', "a b", ""];
  for (const local of strange) {
    expect([local, ...(await faults({ address: `${local}@here.test` }))]).toEqual([local, 422, "not-an-address"]);
  }
  for (const local of ["postmaster", "Hostmaster", "admin", "abuse", "webmaster"]) {
    expect([local, ...(await faults({ address: `${local}@here.test` }))]).toEqual([local, 422, "reserved"]);
  }
  expect(await faults({ address: "guest2@other.test" })).toEqual([422, "not-invited"]);
  expect(await faults({ address: "guest2@nowhere.test" })).toEqual([422, "not-invited"]);
  expect(await faults({})).toEqual([204, undefined]);
});

test("no page of another origin makes an account, or asks for one (CSRF)", async () => {
  const { token } = await invite(admin, week);
  for (const path of ["offers", "invitation", "join"]) {
    const foreign = { "sec-fetch-site": "same-site" };
    const answer = await stranger().post(
      `/auth/${path}`,
      { token, address: "guest9@here.test", password },
      "",
      foreign,
    );
    expect([path, answer.status]).toEqual([path, 403]);
  }
});

test("an invitation for one address is for no other, even for one that is reserved", async () => {
  await expect(invite(admin, { address: known.user, days: 7 })).rejects.toMatchObject({ why: { type: "taken" } });
  const { token } = await invite(admin, { address: "support@here.test", days: 7 });
  expect((await join({ token, address: "guest3@here.test" })).body.code).toBe("not-invited");
  expect((await join({ token, address: "support@here.test" })).status).toBe(204);
});

test("an invitation ends when it is revoked, and after its days", async () => {
  const [one, other] = [await invite(admin, week), await invite(admin, { ...week, days: 1 })];
  expect((await listInvites(admin)).map(({ id }) => id)).toEqual(expect.arrayContaining([one.id, other.id]));
  await revokeInvite(admin, one.id);
  await expect(revokeInvite(admin, one.id)).rejects.toMatchObject({ why: { type: "noInvite" } });
  await store.database.run(unprepared("/* test */ UPDATE invite SET expires_at = now() WHERE id = $1"), [other.id]);
  for (const { token } of [one, other]) {
    expect((await join({ token, address: "late@here.test" })).body.code).toBe("not-invited");
  }
  expect((await listInvites(admin)).map(({ id }) => id)).not.toContain(other.id);
  const text = JSON.stringify(await store.database.run(unprepared("/* test */ SELECT * FROM invite")));
  expect(text).not.toContain(one.token);
});

test("anybody signs up where that is open, and nowhere else, three times a day from one network", async () => {
  const from = stranger();
  expect((await from.post("/auth/offers", {})).body).toEqual({ signUp: ["open.test"] });
  expect((await join({ address: "me@here.test" }, from)).body.code).toBe("not-invited");
  for (const name of ["one", "two", "three"]) {
    expect((await join({ address: `${name}@open.test` }, from)).status).toBe(204);
  }
  const fourth = await join({ address: "four@open.test" }, from);
  expect([fourth.status, fourth.body.code]).toEqual([429, "limit"]);
  expect((await join({ address: "postmaster@open.test" })).body.code).toBe("reserved");
  // No guest becomes the domain's postmaster, whom others ask about the whole domain.
  expect(await findLogin(store.database, "postmaster@open.test")).toBeUndefined();
  const taken = await store.database.run(
    unprepared("/* test */ SELECT 1 FROM address WHERE address = 'postmaster@open.test'"),
  );
  expect(taken).toEqual([]);
});

test("asking which addresses are taken is limited by network", async () => {
  const from = stranger();
  const statuses: number[] = [];
  for (let at = 0; at < 31; at++) statuses.push((await join({ address: "one@open.test" }, from)).status);
  expect(new Set(statuses.slice(0, 30))).toEqual(new Set([409]));
  expect(statuses[30]).toBe(429);
});

test("where the domain requires a second factor, a guest sets it up before anything opens", async () => {
  await addAccount(admin, { address: "boss@strict.test", name: "", password, quota: 0 });
  await requireSecondFactor(admin, "strict.test", true);
  const { token } = await invite(admin, { domain: "strict.test", days: 7 });
  const joined = await join({ token, address: "guest@strict.test" });
  expect([joined.status, joined.body.step, cookieOf(joined)]).toEqual([200, "set-up", ""]);
});

test("nothing of all this was logged as an error", () => {
  expect(world.failures).toEqual([]);
});
