import { type Kysely, sql } from "kysely";
import { expect, test } from "vitest";
import type { DB } from "./db.ts";
import { across, write } from "./declare.ts";

type Account = { accountId: number };
type Build = (db: Kysely<DB>, $: Account & { ids: number[]; other: number }) => never;
const build = (make: (db: Kysely<DB>, $: Account & { ids: number[]; other: number }) => unknown) => make as Build;
let count = 0;
const name = () => `test.${++count}`;

const bound: [string, Parameters<typeof build>[0]][] = [
  [
    "a left join bound in its own ON",
    (db, $) =>
      db
        .selectFrom("email as e")
        .leftJoin("message as m", (join) => join.onRef("m.no", "=", "e.no").on("m.userId", "=", $.accountId))
        .select("e.id")
        .where("e.userId", "=", $.accountId),
  ],
  [
    "a table named without alias",
    (db, $) => db.updateTable("email").set({ size: $.other }).where("email.userId", "=", $.accountId),
  ],
  ["a table that belongs to no account", (db, $) => db.selectFrom("setting").select("value").limit($.other)],
  [
    "rows by value",
    (db, $) => db.insertInto("received").values({ userId: $.accountId, incomingId: $.other, receivedAt: new Date(0) }),
  ],
  ["sql", (_, $) => sql`SELECT e.id FROM email e WHERE e.user_id = ${$.accountId}`],
  [
    "insert … select as sql",
    (_, $) =>
      sql`INSERT INTO received (user_id, incoming_id) SELECT a.user_id, x FROM account a, unnest(${$.ids}::bigint[]) x
        WHERE a.user_id = ${$.accountId}`,
  ],
];
test.each(bound)("a statement that binds its tables is accepted: %s", (_, make) => {
  expect(() => write(name(), build(make))).not.toThrow();
});

const unbound: [string, string, Parameters<typeof build>[0]][] = [
  ["no user_id", "email lacks", (db, $) => db.selectFrom("email").select("id").where("id", "in", $.ids)],
  ["a constant", "email lacks", (db) => db.selectFrom("email").select("id").where("userId", "=", 7)],
  ["a list of accounts", "email lacks", (db, $) => db.selectFrom("email").select("id").where("userId", "in", $.ids)],
  [
    "one of several conditions",
    "email lacks",
    (db, $) =>
      db
        .selectFrom("email")
        .select("id")
        .where((eb) => eb.or([eb("userId", "=", $.accountId), eb("id", "=", $.other)])),
  ],
  [
    "a negated condition",
    "email lacks",
    (db, $) =>
      db
        .selectFrom("email")
        .select("id")
        .where((eb) => eb.not(eb("userId", "=", $.accountId))),
  ],
  [
    "a join bound only through the other table",
    "message m lacks",
    (db, $) =>
      db
        .selectFrom("email as e")
        .innerJoin("message as m", (join) => join.onRef("m.userId", "=", "e.userId").onRef("m.no", "=", "e.no"))
        .select("e.id")
        .where("e.userId", "=", $.accountId),
  ],
  [
    "an outer join that binds the other side",
    "email e lacks",
    (db, $) =>
      db
        .selectFrom("email as e")
        .leftJoin("message as m", (join) => join.on("m.userId", "=", $.accountId).on("e.userId", "=", $.accountId))
        .select("e.id"),
  ],
  [
    "the same table twice",
    "email f lacks",
    (db, $) =>
      db
        .selectFrom("email as e")
        .innerJoin("email as f", "f.threadId", "e.threadId")
        .select("e.id")
        .where("e.userId", "=", $.accountId),
  ],
  [
    "a subquery",
    "message m lacks",
    (db, $) =>
      db
        .selectFrom("email as e")
        .select("e.id")
        .where("e.userId", "=", $.accountId)
        .where((eb) => eb.exists(eb.selectFrom("message as m").select("m.no").whereRef("m.userId", "=", "e.userId"))),
  ],
  [
    "a subquery in a column",
    "change lacks",
    (db, $) =>
      db
        .selectFrom("account")
        .select((eb) => eb.selectFrom("change").select("modseq").limit(1).as("newest"))
        .where("userId", "=", $.accountId),
  ],
  [
    "a part of a union",
    "mailbox lacks",
    (db, $) =>
      db
        .selectFrom("email")
        .select("id")
        .where("userId", "=", $.accountId)
        .unionAll(db.selectFrom("mailbox").select("id")),
  ],
  [
    "WITH",
    "email lacks",
    (db, $) =>
      db
        .with("old", (inner) => inner.selectFrom("email").select("id"))
        .selectFrom("old")
        .select("id")
        .where("id", "in", $.ids),
  ],
  [
    "WITH under a table's name",
    "WITH takes the name of a table",
    (db, $) =>
      db
        .with("email", (inner) => inner.selectFrom("email").select("id").where("userId", "=", $.accountId))
        .selectFrom("email")
        .select("id"),
  ],
  [
    "update … from",
    "mailbox m lacks",
    (db, $) =>
      db
        .updateTable("email as e")
        .from("mailbox as m")
        .set({ size: 0 })
        .where("e.userId", "=", $.accountId)
        .whereRef("m.id", "=", "e.threadId"),
  ],
  [
    "delete … using",
    "message lacks",
    (db, $) =>
      db
        .deleteFrom("email")
        .using("message")
        .whereRef("message.no", "=", "email.no")
        .where("email.userId", "=", $.accountId),
  ],
  [
    "insert without user_id",
    "received is inserted without user_id",
    (db, $) => db.insertInto("received").values({ incomingId: $.other, receivedAt: new Date(0) } as never),
  ],
  [
    "insert of a constant user_id",
    "neither a parameter",
    (db, $) => db.insertInto("received").values({ userId: 1, incomingId: $.other, receivedAt: new Date(0) }),
  ],
  [
    "insert … select of another column",
    "neither a parameter",
    (db, $) =>
      db
        .insertInto("received")
        .columns(["userId", "incomingId"])
        .expression(db.selectFrom("email").select(["id", "no"]).where("userId", "=", $.accountId)),
  ],
  [
    "insert … select from an unbound table",
    "account a lacks",
    (db) =>
      db
        .insertInto("received")
        .columns(["userId", "incomingId"])
        .expression(db.selectFrom("account as a").select(["a.userId", "a.modseq"])),
  ],
  [
    "two accounts",
    "several values: accountId, other",
    (db, $) =>
      db
        .selectFrom("email as e")
        .innerJoin("email as f", (join) => join.on("f.userId", "=", $.other).onRef("f.no", "=", "e.no"))
        .select("e.id")
        .where("e.userId", "=", $.accountId),
  ],
  [
    "a fragment that hides a table",
    "message m lacks",
    (db, $) =>
      db
        .selectFrom("email as e")
        .select("e.id")
        .where("e.userId", "=", $.accountId)
        .where(sql<boolean>`EXISTS (SELECT FROM message m WHERE m.no = e.no)`),
  ],
  ["sql", "email lacks", (_, $) => sql`SELECT id FROM email WHERE id = ANY(${$.ids})`],
  ["sql after a comment", "email lacks", (_, $) => sql`-- note\nSELECT id FROM email WHERE id = ANY(${$.ids})`],
  ["sql after another comment", "email lacks", () => sql`/* user_id = $1 */ SELECT id FROM email`],
  ["sql with the mark of across()", "email lacks", () => sql`-- crosses accounts\nSELECT id FROM email`],
  ["a comment that binds", "email lacks", () => sql`SELECT id FROM email -- WHERE user_id = $1`],
  ["a literal that binds", "email lacks", () => sql`SELECT id FROM email WHERE 'user_id = $1' <> '--'`],
  [
    "sql: insert without user_id",
    "received lacks",
    (_, $) => sql`INSERT INTO received (incoming_id) VALUES (${$.other})`,
  ],
];
test.each(unbound)("an unbound statement is refused where it is declared: %s", (_, message, make) => {
  expect(() => write(name(), build(make))).toThrow(message);
});

test.each(unbound)("across() allows an unbound statement: %s", (_, __, make) => {
  const { text } = write(name(), build(make), across("a test"));
  expect(text.startsWith("-- crosses accounts\n")).toBe(true);
});
