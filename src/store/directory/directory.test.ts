import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { tripsOf } from "../../../test/support/trips.ts";
import { normalizeAddress } from "../../base/address.ts";
import { Conflict } from "../core/errors.ts";
import { accountIds } from "../upkeep/accounts.ts";
import { previewRemoval, removeAccount } from "../upkeep/removal.ts";
import {
  addAlias,
  addDomain,
  createAccount,
  findDomain,
  listAddresses,
  removeAlias,
  shareAccount,
  unshareAccount,
} from "./directory.ts";
import { findLogin, openAccounts } from "./logins.ts";
import { findAddress, findRecipients } from "./recipients.ts";
import { addAppPassword, addToken, listCredentials } from "./tokens.ts";

const store = await createTestStore();
const { database } = store;

test("addresses are normalized to lower case and an ASCII domain", () => {
  expect(normalizeAddress(" Ann.B@EXAMPLE.org ")).toBe("ann.b@example.org");
  expect(normalizeAddress("ann@bücher.example")).toBe("ann@xn--bcher-kva.example");
  expect(normalizeAddress('"ann b"@example.org.')).toBe("ann b@example.org");
  for (const text of ["", "ann", "ann@", "ann@a b", "ann@..", "a\0nn@example.org", `${"a".repeat(400)}@example.org`]) {
    expect(normalizeAddress(text)).toBeUndefined();
  }
});

test("mail for abuse@ goes to the postmaster where nobody else takes it (RFC 2142)", async () => {
  const ann = await createTestAccount(store, "ann@abuse.example");
  const bob = await createTestAccount(store, "bob@abuse.example");
  expect(await findAddress(database, "abuse@abuse.example")).toBeUndefined();
  await addAlias(store, "postmaster@abuse.example", ann);
  for (const address of [
    "abuse@abuse.example",
    "ABUSE@Abuse.Example",
    "abuse+1@abuse.example",
    '"abuse"@abuse.example',
  ]) {
    expect(await findAddress(database, address)).toBe(ann);
  }
  expect(await findAddress(database, "abused@abuse.example")).toBeUndefined();
  await addAlias(store, "@abuse.example", bob);
  expect(await findAddress(database, "abuse@abuse.example")).toBe(bob);
  await addAlias(store, "abuse@abuse.example", ann);
  expect(await findAddress(database, "abuse@abuse.example")).toBe(ann);
});

test("mail finds its account by the full address, then without the tag, then by the catch-all", async () => {
  const ann = await createTestAccount(store, "Ann@find.example");
  const bob = await createTestAccount(store, "bob@find.example");
  await addAlias(store, "sales@find.example", bob);
  expect(await findAddress(database, "ANN@Find.Example")).toBe(ann);
  expect(await findAddress(database, "ann+news@find.example")).toBe(ann);
  expect(await findAddress(database, "sales+x@find.example")).toBe(bob);
  expect(await findAddress(database, "nobody@find.example")).toBeUndefined();
  await addAlias(store, "@find.example", bob);
  await addAlias(store, "ann+work@find.example", bob);
  expect(await findAddress(database, "nobody@find.example")).toBe(bob);
  expect(await findAddress(database, "ann+news@find.example")).toBe(ann);
  expect(await findAddress(database, "ann+work@find.example")).toBe(bob);
  expect(await findAddress(database, "ann@other.example")).toBeUndefined();
  expect(await findAddress(database, "@find.example")).toBeUndefined();
  expect(await removeAlias(database, "@FIND.example", ann)).toBe(false);
  expect(await removeAlias(database, "@FIND.example", bob)).toBe(true);
  expect(await findAddress(database, "nobody@find.example")).toBeUndefined();
});

test("recipients are found together, with one statement", async () => {
  const ann = await createTestAccount(store, "ann@here.example");
  const boss = await createTestAccount(store, "postmaster@here.example");
  await addAlias(store, "@caught.example", ann);
  await addDomain(store, { name: "here.example", dkimSelector: "s", dkimKey: "" });
  const expected = {
    "Ann@Here.example": ann,
    "ann+news@here.example": ann,
    "anyone@caught.example": ann,
    "abuse@here.example": boss,
    "nobody@here.example": undefined,
    "ann@there.example": "elsewhere",
    "not an address": "elsewhere",
  };
  const found: Awaited<ReturnType<typeof findRecipients>> = [];
  const trips = await tripsOf(async () => found.push(...(await findRecipients(database, Object.keys(expected)))));
  expect(found.map((one) => (typeof one === "object" ? one.userId : one))).toEqual(Object.values(expected));
  expect(trips.flat()).toHaveLength(1);
});

test("an address belongs to one account, and what an interrupted creation left is taken over", async () => {
  await createTestAccount(store, "one@taken.example");
  await expect(createTestAccount(store, "ONE@taken.example")).rejects.toThrow(Conflict);
  const two = await createTestAccount(store, "two@taken.example");
  await removeAlias(database, "two@taken.example", two);
  const again = await createAccount(store, { address: "two@taken.example", passwordHash: "new" });
  expect(await findLogin(database, "two@taken.example")).toMatchObject({ userId: again, passwordHash: "new" });
});

test("a login opens its own account and those shared with it", async () => {
  const [own, shared] = [await createTestAccount(store, "a@s.example"), await createTestAccount(store, "b@s.example")];
  await shareAccount(store, "a@s.example", shared);
  expect(await openAccounts(database, "a@s.example", own)).toEqual([
    { id: own, name: "a@s.example", isPersonal: true, isReadOnly: false },
    { id: shared, name: "b@s.example", isPersonal: false, isReadOnly: false },
  ]);
  expect(await unshareAccount(store, "a@s.example", shared)).toBe(true);
  expect(await openAccounts(database, "a@s.example", own)).toHaveLength(1);
});

test("a domain keeps its first key", async () => {
  const domain = { name: "d.example", dkimSelector: "one", dkimKey: "key" };
  expect(await addDomain(store, domain)).toBe(true);
  expect(await addDomain(store, { ...domain, dkimKey: "other" })).toBe(false);
  expect(await findDomain(database, "D.example")).toEqual(domain);
  expect(await findDomain(database, "other.example")).toBeUndefined();
});

test("removing an account removes its addresses, logins, credentials and shares", async () => {
  const userId = await createTestAccount(store, "gone@r.example");
  await addAlias(store, "alias@r.example", userId);
  const owner = { login: "gone@r.example", userId };
  await addAppPassword(store, { ...owner, id: "app", label: "", hash: "" });
  await addToken(store, { ...owner, id: "token", label: "", hash: randomBytes(32), expiresAt: undefined });
  await shareAccount(store, owner.login, await createTestAccount(store, "stays@r.example"));
  const preview = await previewRemoval(database, userId);
  expect(preview).toMatchObject({ addresses: ["alias@r.example", "gone@r.example"], logins: ["gone@r.example"] });
  await removeAccount(store, userId);
  expect(await findAddress(database, "alias@r.example")).toBeUndefined();
  expect(await findLogin(database, "gone@r.example")).toBeUndefined();
  expect(await accountIds(database)).not.toContain(userId);
  expect((await listAddresses(database)).some((row) => row.userId === userId)).toBe(false);
  expect(await listCredentials(database, owner)).toEqual([]);
  expect(await openAccounts(database, owner.login, userId)).toEqual([]);
});
