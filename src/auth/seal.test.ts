import { expect, test } from "vitest";
import { createTestStore } from "../../test/support/postgres.ts";
import { Seal } from "./seal.ts";
import { Tickets } from "./tickets.ts";

const store = await createTestStore();

test("what was sealed opens for its purpose alone, in any process of the installation", async () => {
  const sealed = await new Seal(store.database).seal("totp 1", "secret");
  const other = new Seal(store.database);
  expect(await other.open("totp 1", sealed)).toBe("secret");
  expect(await other.open("totp 2", sealed)).toBeUndefined();
  const changed = Buffer.from(sealed, "base64url");
  changed[15]! ^= 1;
  expect(await other.open("totp 1", changed.toString("base64url"))).toBeUndefined();
  for (const junk of ["", "x", "A".repeat(38)]) expect(await other.open("totp 1", junk)).toBeUndefined();
  expect(await other.seal("totp 1", "secret")).not.toBe(sealed);
});

test("a ticket is good for its step, for ten minutes", async () => {
  let now = Date.now();
  const tickets = new Tickets({ database: store.database, clock: { now: () => new Date(now) }, site: "inbox" });
  const content = { login: "ann@here.test", userId: 1, mark: "m", stay: false };
  const ticket = await tickets.issue("factor", content);
  expect(await tickets.open("factor", ticket)).toEqual(content);
  expect(await tickets.open("proof", ticket)).toBeUndefined();
  for (const junk of [undefined, null, {}, "", "x".repeat(6_000)]) {
    expect(await tickets.open("factor", junk)).toBeUndefined();
  }
  now += 10 * 60_000;
  expect(await tickets.open("factor", ticket)).toBeUndefined();
});
