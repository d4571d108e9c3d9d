import { type Kysely, sql } from "kysely";
import { expect, test } from "vitest";
import type { DB } from "./db.ts";
import { across, declared, read, unnamed, write } from "./declare.ts";
import { insertLists, type Lists } from "./lists.ts";
import type { Executor } from "./sql.ts";

type Account = { accountId: number };
type Build = (db: Kysely<DB>, $: Account & { ids: number[]; other: number }) => never;
const build = (make: (db: Kysely<DB>, $: Account & { ids: number[]; other: number }) => unknown) => make as Build;
let count = 0;
const name = () => `test.${++count}`;

test("text is constant: one number for each parameter, constants in place, names as Postgres has them", () => {
  const statement = read("test.text", (db, $: Account & { ids: number[]; before: Date }) =>
    db
      .selectFrom("emailMailbox as em")
      .innerJoin("mailbox as m", (join) => join.onRef("m.id", "=", "em.mailboxId").on("m.userId", "=", $.accountId))
      .select(["em.emailId", "m.name", (eb) => eb.fn.max("em.receivedAt").as("newestAt")])
      .where("em.userId", "=", $.accountId)
      .where("em.emailId", "in", $.ids)
      .where("em.threadId", "not in", $.ids)
      .where("m.role", "in", ["in'box", "trash"])
      .where("em.receivedAt", "<", $.before)
      .orderBy("newestAt"),
  );
  expect(statement.text).toBe(
    'select "em"."email_id" as "emailId", "m"."name", max("em"."received_at") as "newestAt"' +
      ' from "email_mailbox" as "em" inner join "mailbox" as "m" on "m"."id" = "em"."mailbox_id" and "m"."user_id" = $1' +
      ' where "em"."user_id" = $1 and "em"."email_id" = any($2) and "em"."thread_id" <> all($2)' +
      ` and "m"."role" in ('in''box', 'trash') and "em"."received_at" < $3 order by "newestAt"`,
  );
  expect(statement.parameters).toEqual(["accountId", "ids", "before"]);
});

test("names inside a statement stay those of Postgres, what it returns is camelCase", () => {
  const { text } = read("test.inner", (db, $: Account) =>
    db
      .with("newest", (inner) =>
        inner.selectFrom("email").select(["threadId", "receivedAt as seenAt"]).where("userId", "=", $.accountId),
      )
      .selectFrom("newest")
      .select(["threadId", "newest.seenAt"]),
  );
  expect(text).toBe(
    'with "newest" as (select "thread_id", "received_at" as "seen_at" from "email" where "user_id" = $1)' +
      ' select "thread_id" as "threadId", "newest"."seen_at" as "seenAt" from "newest"',
  );
});

test("a prepared name tells its text: the same for the same text, another for another", () => {
  const { name: first } = read("test.named", (db, $: Account) =>
    db.selectFrom("email").select("id").where("userId", "=", $.accountId),
  );
  declared.delete("test.named");
  const { name: second } = read("test.named", (db, $: Account) =>
    db.selectFrom("email").select("no").where("userId", "=", $.accountId),
  );
  expect(first).toMatch(/^test\.named\/[0-9a-f]{6}$/);
  expect(second).toMatch(/^test\.named\/[0-9a-f]{6}$/);
  expect(first).not.toBe(second);
  const mails = build((db, $) => db.selectFrom("email").select("id").where("userId", "=", $.accountId));
  expect(() => read("test.named", mails)).toThrow("another statement has that name");
  expect(() => read("x".repeat(57), mails)).toThrow("up to 56");
  expect(read(name(), mails, unnamed("planned for each call")).name).toBe("");
});

test.each<[string, Parameters<typeof build>[0]]>([
  ["all columns", (db, $) => db.selectFrom("email").selectAll().where("userId", "=", $.accountId)],
  [
    "a parameter used as a value",
    (db, $) =>
      db
        .selectFrom("setting")
        .select("name")
        .limit($.other + 1),
  ],
  ["a parameter in a text", (db, $) => db.selectFrom("setting").select("name").where("name", "=", `${$.other}`)],
  ["a parameter in JSON", (db, $) => db.selectFrom("setting").select("name").where("name", "=", JSON.stringify($.ids))],
  [
    "an object as a value",
    (db) =>
      db
        .selectFrom("setting")
        .select("name")
        .where("name", "=", {} as string),
  ],
])("refused where it is declared: %s", (_, make) => {
  expect(() => read(name(), build(make))).toThrow(/^statement test\.\d+: /);
});

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
  ["a table of no account", (db, $) => db.selectFrom("setting").select("value").limit($.other)],
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
test.each(bound)("bound: %s", (_, make) => {
  expect(() => write(name(), build(make))).not.toThrow();
});

test("lists are put in by way of the account's row", () => {
  const { text } = write("test.lists", (db, $: Account & Lists<"emailKeyword", "keyword" | "emailId">) =>
    insertLists(db, "emailKeyword", ["keyword", "emailId"], $),
  );
  expect(text).toBe(
    'insert into "email_keyword" ("user_id", "keyword", "email_id") select "a"."user_id", "x"."keyword", "x"."email_id"' +
      ' from "account" as "a", unnest($1::text[], $2::int8[]) as x ("keyword", "email_id") where "a"."user_id" = $3',
  );
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
    "a join that leans on the other's",
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
    "received is given no user_id",
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
    "insert … select from what is not bound",
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
test.each(unbound)("refused where it is declared: %s", (_, message, make) => {
  expect(() => write(name(), build(make))).toThrow(message);
});

test.each(unbound)("across() lets pass: %s", (_, __, make) => {
  const { text } = write(name(), build(make), across("a test"));
  expect(text.startsWith("-- crosses accounts\n")).toBe(true);
});

test.each<[string, Parameters<typeof build>[0]]>([
  ["an update", (db, $) => db.updateTable("email").set({ size: 1 }).where("userId", "=", $.accountId)],
  ["sql that deletes", (_, $) => sql`DELETE FROM email WHERE user_id = ${$.accountId}`],
  [
    "sql that deletes in WITH",
    (_, $) => sql`WITH d AS (DELETE FROM email WHERE user_id = ${$.accountId} RETURNING id) SELECT id FROM d`,
  ],
  ["a sequence", () => sql`SELECT nextval('account_number')`],
])("no read: %s", (_, make) => {
  expect(() => read(name(), build(make))).toThrow("may write");
});

/** Never run: the type checker is the test. */
export async function types(executor: Executor): Promise<void> {
  const find = read("test.types", (db, $: Account & { ids: number[] }) =>
    db.selectFrom("email").select(["id", "sentAt"]).where("userId", "=", $.accountId).where("id", "in", $.ids),
  );
  const rows: { id: number; sentAt: Date | null }[] = await executor.run(find, { accountId: 1, ids: [2] });
  // @ts-expect-error: no such member
  rows[0]!.threadId;
  // @ts-expect-error: a value is missing
  await executor.run(find, { accountId: 1 });
  // @ts-expect-error: a value of another type
  await executor.run(find, { accountId: 1, ids: ["2"] });
  // @ts-expect-error: values are given by name
  await executor.run(find, [1, [2]]);
  // @ts-expect-error: values must be given
  await executor.run(find);
  // @ts-expect-error: no such column
  read("test.noColumn", (db) => db.selectFrom("email").select("nowhere"));
}
