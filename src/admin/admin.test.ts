import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testAdmin } from "../../test/support/admin.ts";
import { isOnCitus } from "../../test/support/citus.ts";
import { createTestStore } from "../../test/support/postgres.ts";
import type { BusEvent } from "../push/carrier.ts";
import { CommitError } from "../store/core/errors.ts";
import { unprepared } from "../store/core/sql.ts";
import type { Store } from "../store/core/store.ts";
import { addressesOf } from "../store/directory/directory.ts";
import { findLogin } from "../store/directory/logins.ts";
import { dropRemovedAccounts } from "../store/upkeep/removed-accounts.ts";
import { addAccount, nameAccount, previewRemoval, removeAccount, setPassword } from "./accounts.ts";
import { addAddress, forwardAddress, removeAddress } from "./addresses.ts";
import type { Admin } from "./admin.ts";
import { readAudit, verifyAudit } from "./audit.ts";
import { ensureDomain, removeDomain } from "./domains.ts";
import { maskAddress } from "./masked-addresses.ts";
import { getQuota, setQuota } from "./quota.ts";
import type { Refusal, Refused } from "./refused.ts";
import { resetSecondFactors } from "./second-factors.ts";
import { share, unshare } from "./shares.ts";
import { addAppPassword, addToken, listCredentials, revokeCredential } from "./tokens.ts";

let store: Store;
let admin: Admin;
let announced: BusEvent[];
const revoked = () => announced.filter((event) => "credential" in event);
let domain: string;
let ann: string;
let annId: number;
let count = 0;

beforeAll(async () => {
  store = await createTestStore();
});
beforeEach(async () => {
  announced = [];
  admin = testAdmin(store, announced);
  domain = `d${++count}.example`;
  ann = `ann@${domain}`;
  annId = (await account(ann)).userId;
});

const account = (address: string) => addAccount(admin, { address, name: "", password: "sesame", quota: 0 });
const run = (text: string, values: unknown[] = []) =>
  store.database.run(unprepared(`/* test */ -- crosses accounts\n${text}`), values);

/** The acts recorded in a chain, oldest first. */
async function acts(address?: string) {
  const { rows } = await readAudit(admin, address, { limit: 1_000 });
  return rows.toReversed().map(({ who, what }) => ({ who, ...what }));
}

/** The acts that `work` adds to the chain. */
async function added(work: () => Promise<unknown>, address?: string) {
  const before = (await acts(address)).length;
  await work();
  return (await acts(address)).slice(before);
}

const refused = (why: Partial<Refusal> & { type: Refusal["type"] }) =>
  expect.objectContaining({ why: expect.objectContaining(why) });

test("a new account's chain begins with its addition; its domain is recorded in the installation's chain", async () => {
  expect(await acts(ann)).toEqual([
    { who: "test", act: "account.add", address: ann },
    { who: "test", act: "address.add", address: `postmaster@${domain}` },
  ]);
  expect(await acts()).toContainEqual({ who: "test", act: "domain.add", domain });
  expect(await added(() => account(`bob@${domain}`))).toEqual([]);
});

test("each act on an account adds one row, and an act that ends a credential is announced", async () => {
  const other = `office@${domain}`;
  await account(other);
  const { id } = await addToken(admin, ann, { label: "secret label", days: 3 });
  const acted: [work: () => Promise<unknown>, act: object, address?: string][] = [
    [() => nameAccount(admin, ann, "Ann Lee"), { act: "account.name" }],
    [() => setPassword(admin, ann, "another"), { act: "account.password" }],
    [() => setQuota(admin, ann, 1_000), { act: "account.quota", limit: 1_000 }],
    [() => setQuota(admin, ann, null), { act: "account.quota", limit: null }],
    [() => addAddress(admin, `@${domain}`, ann), { act: "address.add", address: `@${domain}` }],
    [
      () => forwardAddress(admin, `@${domain}`, { to: [ann, "x@far.example"], keepsCopy: false }),
      { act: "address.forward", address: `@${domain}`, to: 2, keepsCopy: "no" },
    ],
    [() => maskAddress(admin, ann, "shop"), { act: "mask.add" }],
    [() => removeAddress(admin, `@${domain}`), { act: "address.remove", address: `@${domain}` }],
    [() => addToken(admin, ann, { label: "", days: undefined }), { act: "token.add", id: expect.any(String) }],
    [() => addAppPassword(admin, ann, ""), { act: "app-password.add", id: expect.any(String) }],
    [() => revokeCredential(admin, ann, id), { act: "credential.revoke", id }],
    [() => resetSecondFactors(admin, ann), { act: "second-factor.reset" }],
    [() => share(admin, other, ann), { act: "account.share", login: annId }, other],
    [() => unshare(admin, other, ann), { act: "account.unshare", login: annId }, other],
  ];
  for (const [work, act, address = ann] of acted) {
    expect(await added(work, address)).toEqual([{ who: "test", ...act }]);
  }
  // Announced: the name, the password, the token, the second factors, and the share and its withdrawal.
  expect(revoked()).toEqual(Array(6).fill({ credential: ann }));
  // Operators who look are told of every one.
  expect(announced.filter((event) => "watched" in event).length).toBeGreaterThanOrEqual(acted.length);
  expect(await verifyAudit(admin, ann)).toMatchObject({ sound: 15 });
  const { rows } = await readAudit(admin, ann, { limit: 100 });
  expect(JSON.stringify(rows)).not.toMatch(/another|secret label|Ann Lee/);
});

test("a refused act adds no row and is not announced", async () => {
  const bob = `bob@${domain}`;
  await account(bob);
  const acted: [work: () => Promise<unknown>, why: Parameters<typeof refused>[0]][] = [
    [() => account(ann), { type: "taken", address: ann }],
    [() => account("a b@x.example"), { type: "notAnAddress" }],
    [() => nameAccount(admin, ann, "a\nb"), { type: "controlCharacters" }],
    [() => nameAccount(admin, ann, "a".repeat(201)), { type: "nameTooLong" }],
    [() => setPassword(admin, `nobody@${domain}`, "x"), { type: "noAccount", login: `nobody@${domain}` }],
    [() => addAddress(admin, "nonsense", ann), { type: "notAnAddressOrDomain" }],
    [() => addAddress(admin, bob, ann), { type: "taken", address: bob }],
    [() => removeAddress(admin, ann), { type: "ownAddress" }],
    [() => removeAddress(admin, `x@${domain}`), { type: "noAddress" }],
    [() => revokeCredential(admin, ann, "none"), { type: "noCredential", login: ann }],
    [() => forwardAddress(admin, ann, { to: [ann], keepsCopy: true }), { type: "forwardsToItself", address: ann }],
    [() => forwardAddress(admin, ann, { to: [], keepsCopy: false }), { type: "forwardsNowhere", address: ann }],
    [() => maskAddress(admin, ann, "x".repeat(201)), { type: "nameTooLong" }],
    [() => share(admin, ann, ann), { type: "ownLogin" }],
    [() => share(admin, "x@nowhere.example", ann), { type: "noAccountBehind" }],
    [() => unshare(admin, bob, ann), { type: "notShared", text: bob, login: ann }],
    [() => ensureDomain(admin, "a b"), { type: "notADomain" }],
    [() => removeDomain(admin, domain), { type: "domainInUse", name: domain }],
    [() => removeDomain(admin, "nowhere.example"), { type: "noDomain" }],
  ];
  const all = async () => [...(await acts()), ...(await acts(ann)), ...(await acts(bob))];
  const before = await all();
  for (const [work, why] of acted) await expect(work()).rejects.toEqual(refused(why));
  expect(await all()).toEqual(before);
  expect(revoked()).toEqual([]);
});

test("a revocation is announced even when the outcome of its commit is unknown", async () => {
  const lost = Object.create(store, { write: { value: () => Promise.reject(new CommitError("lost")) } }) as Store;
  await expect(setPassword({ ...admin, store: lost }, ann, "another")).rejects.toThrow("commit outcome unknown");
  expect(revoked()).toEqual([{ credential: ann }]);
  await expect(removeAccount({ ...admin, store: lost }, ann)).rejects.toThrow("commit outcome unknown");
  expect(revoked()).toEqual([{ credential: ann }, { credential: ann }]);
});

test("a removal whose commit succeeded unnoticed is finished by a further one", async () => {
  const write = async (...args: Parameters<Store["write"]>) => {
    await store.write(...args);
    throw new CommitError("lost");
  };
  const lost = Object.create(store, { write: { value: write } }) as Store;
  await expect(removeAccount({ ...admin, store: lost }, ann)).rejects.toThrow("commit outcome unknown");
  await removeAccount(admin, ann);
  expect(await findLogin(store.database, ann)).toBeUndefined();
});

test("an act that cannot be recorded is not done", async () => {
  const token = await addToken(admin, ann, { label: "", days: undefined });
  const hash = (await findLogin(store.database, ann))!.passwordHash;
  const nameless = { ...admin, who: "Postgres keeps no \0" };
  for (const work of [
    () => setPassword(nameless, ann, "another"),
    () => setQuota(nameless, ann, 5),
    () => revokeCredential(nameless, ann, token.id),
    () => addAddress(nameless, `sales@${domain}`, ann),
    () => ensureDomain(nameless, `unrecorded.${domain}`),
    () => removeAccount(nameless, ann),
  ]) {
    await expect(work()).rejects.toThrow("invalid byte sequence");
  }
  expect(revoked()).toEqual([]);
  expect((await findLogin(store.database, ann))?.passwordHash).toBe(hash);
  expect((await getQuota(admin, ann)).limit).toBeUndefined();
  expect((await listCredentials(admin, ann)).credentials).toHaveLength(1);
  expect(await run("SELECT 1 FROM address WHERE address = $1", [`sales@${domain}`])).toEqual([]);
  expect(await run("SELECT 1 FROM domain WHERE name = $1", [`unrecorded.${domain}`])).toEqual([]);
  expect(await acts(ann)).toHaveLength(3);
});

test("a removed account's chain goes with it, when it can't come back any more, and the installation's chain records its number alone", async () => {
  await setQuota(admin, ann, 5);
  const preview = await previewRemoval(admin, ann);
  expect(await added(() => removeAccount(admin, ann))).toEqual([
    { who: "test", act: "account.remove", account: annId },
  ]);
  expect(preview.addresses).toEqual([ann, `postmaster@${domain}`]);
  expect(revoked()).toEqual([{ credential: ann }]);
  await dropRemovedAccounts(store, new Date(Date.now() + 1000));
  expect(await run("SELECT 1 FROM audit WHERE user_id = $1", [annId])).toEqual([]);
  expect(await run("SELECT 1 FROM audit WHERE what::text LIKE '%ann@' || $1 || '%'", [domain])).toEqual([]);
  expect(await added(() => removeDomain(admin, domain))).toEqual([{ who: "test", act: "domain.remove", domain }]);
});

describe("no address outlives its domain", () => {
  /** How many statements wait for a lock, on all nodes. */
  async function waiting(): Promise<number> {
    const here = `SELECT count(*)::integer AS result FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    const all = `SELECT sum(result::integer)::integer AS result FROM run_command_on_all_nodes($$${here}$$)`;
    const [row] = await run(isOnCitus ? all : here);
    return row!.result as number;
  }

  /** Starts the acts while none can be recorded, each when those before it wait, then lets all go on. */
  async function crossed(...started: (() => Promise<unknown>)[]) {
    const acted: Promise<unknown>[] = [];
    await store.database.transaction("BEGIN", async (executor) => {
      await executor.run(unprepared("/* test */ LOCK TABLE audit IN EXCLUSIVE MODE"));
      for (const [index, start] of started.entries()) {
        acted.push(start());
        acted[index]!.catch(() => {});
        await expect.poll(waiting, { timeout: 5_000 }).toBe(index + 1);
      }
    });
    return Promise.allSettled(acted);
  }

  let other: string;
  const add = () => addAddress(admin, `sales@${other}`, ann);
  const addFirst = () => account(`first@${other}`);
  const remove = () => removeDomain(admin, other);
  const addresses = () => run("SELECT 1 FROM address WHERE address LIKE '%@' || $1", [other]);
  beforeEach(async () => {
    other = `other.${domain}`;
    await ensureDomain(admin, other);
  });

  test("when the address comes first, the domain stays", async () => {
    const [added, removed] = await crossed(add, remove);
    expect(added!.status).toBe("fulfilled");
    expect(removed).toMatchObject({ reason: refused({ type: "domainInUse", addresses: [`sales@${other}`] }) });
    expect(await run("SELECT 1 FROM domain WHERE name = $1", [other])).toHaveLength(1);
  });

  test.each([
    ["an address", () => add()],
    ["an account", () => addFirst()],
  ])("when the removal comes first, %s is refused", async (_, late) => {
    const [removed, added] = await crossed(remove, late);
    expect(removed!.status).toBe("fulfilled");
    expect(added).toMatchObject({ reason: refused({ type: "noDomain", text: other }) });
    expect(await addresses()).toEqual([]);
  });
});

test("of the many addresses that keep a domain, a refusal names a few", async () => {
  for (let nth = 0; nth < 12; nth++) await addAddress(admin, `alias${nth}@${domain}`, ann);
  const told = await removeDomain(admin, domain).catch((error: Refused) => error.why);
  expect(told).toMatchObject({ type: "domainInUse", addresses: { length: 11, 10: "…" } });
  expect(await addressesOf(store.database, `x${domain.slice(1)}`, 5)).toEqual([]);
});

test("concurrent acts make one unbroken chain", async () => {
  const many = Array.from({ length: 12 }, (_, index) => index);
  const before = (await acts()).length;
  await Promise.all([
    ...many.map((index) => setQuota(admin, ann, index + 1)),
    ...many.map((index) => ensureDomain(admin, `many${index}.${domain}`)),
    // Two acts add the same domain, which makes one row.
    ...many.map(() => ensureDomain(admin, `one.${domain}`)),
  ]);
  expect(await verifyAudit(admin, ann)).toMatchObject({ sound: 2 + many.length });
  expect(await verifyAudit(admin, undefined)).toMatchObject({ sound: before + many.length + 1 });
});
