import { expect, test } from "vitest";
import { across, declared, read, write } from "./declare.ts";
import { placeOf } from "./place.ts";
import type { Statement } from "./sql.ts";
import "../directory/directory.ts";
import "../directory/logins.ts";
import "../directory/tokens.ts";
import "../queues/due.ts";
import "../queues/incoming.ts";
import "../queues/deliveries.ts";
import "../upkeep/sweeps.ts";

const place = (name: string) => placeOf(declared.get(name)!);
const parameter = (name: string) => {
  const found = place(name);
  return typeof found === "number" ? declared.get(name)!.parameters![found] : found;
};

const statement = (text: string): Pick<Statement<unknown>, "text" | "access"> => ({ text, access: "read" });

test.each([
  ["accounts.name", "accountId"],
  ["accounts.add", "userId"],
  ["tokens.byHash", "userId"],
  ["deliveries.lease", "userId"],
  ["sweeps.oldChanges", "accountId"],
  ["due.move", "main"],
  ["due.drop", "main"],
  ["incoming.add", "main"],
  ["accounts.nextNumber", "main"],
  ["tokens.byHashAlone", "main"],
  ["tokens.expired", "main"],
  ["tokens.dropExpired", "userId"],
  ["addresses.byName", "anywhere"],
  ["addresses.add", "main"],
  ["logins.byName", "anywhere"],
  ["access.ofLogin", "anywhere"],
  ["domains.byName", "anywhere"],
])("%s runs by its %s", (name, expected) => {
  expect(parameter(name)).toBe(expected);
});

test("the account is found in any parameter of a statement", () => {
  const insert = write("test.place", (db, $: { name: string; number: number; at: Date }) =>
    db.insertInto("account").values({ name: $.name, userId: $.number, createdAt: $.at }),
  );
  expect(placeOf(insert)).toBe(1);
  expect(placeOf(statement("SELECT m.id FROM mailbox m WHERE m.name = $1 AND m.user_id = $2"))).toBe(1);
  expect(placeOf(statement("SELECT nextval('incoming_number')"))).toBe("main");
  expect(placeOf(statement("SELECT value FROM setting WHERE name = $1 FOR UPDATE"))).toBe("main");
  const all = read("test.placeOfAll", (db) => db.selectFrom("login").select("login"), across("a test"));
  expect(placeOf(all)).toBe("main");
});
