import { type Kysely, sql } from "kysely";
import { expect, test } from "vitest";
import type { DB } from "./db.ts";
import { declared, read, unnamed, write } from "./declare.ts";
import { insertLists, type Lists } from "./lists.ts";
import type { Executor } from "./sql.ts";

type Account = { accountId: number };
type Build = (db: Kysely<DB>, $: Account & { ids: number[]; other: number }) => never;
const build = (make: (db: Kysely<DB>, $: Account & { ids: number[]; other: number }) => unknown) => make as Build;
let count = 0;
const name = () => `test.${++count}`;

test("a statement has constant text: one number per parameter, constants inline, names in snake_case", () => {
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

test("names inside a statement are snake_case, and what it returns is camelCase", () => {
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

test("a prepared name depends on the text: statements with different texts have different names", () => {
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
])("a declaration is refused: %s", (_, make) => {
  expect(() => read(name(), build(make))).toThrow(/^statement test\.\d+: /);
});

test("lists are inserted through a SELECT from the account's row", () => {
  const { text } = write("test.lists", (db, $: Account & Lists<"emailKeyword", "keyword" | "emailId">) =>
    insertLists(db, "emailKeyword", ["keyword", "emailId"], $),
  );
  expect(text).toBe(
    'insert into "email_keyword" ("user_id", "keyword", "email_id") select "a"."user_id", "x"."keyword", "x"."email_id"' +
      ' from "account" as "a", unnest($1::text[], $2::int8[]) as x ("keyword", "email_id") where "a"."user_id" = $3',
  );
});

test.each<[string, Parameters<typeof build>[0]]>([
  ["an update", (db, $) => db.updateTable("email").set({ size: 1 }).where("userId", "=", $.accountId)],
  ["sql that deletes", (_, $) => sql`DELETE FROM email WHERE user_id = ${$.accountId}`],
  [
    "sql that deletes in WITH",
    (_, $) => sql`WITH d AS (DELETE FROM email WHERE user_id = ${$.accountId} RETURNING id) SELECT id FROM d`,
  ],
  ["rows that it locks", (db, $) => db.selectFrom("email").select("id").where("userId", "=", $.accountId).forUpdate()],
  ["sql that locks rows", (_, $) => sql`SELECT id FROM email WHERE user_id = ${$.accountId} FOR NO KEY UPDATE`],
  ["sql that shares rows", (_, $) => sql`SELECT id FROM email WHERE user_id = ${$.accountId} FOR KEY SHARE`],
  ["a sequence", () => sql`SELECT nextval('account_number')`],
])("a statement that writes cannot be declared as a read: %s", (_, make) => {
  expect(() => read(name(), build(make))).toThrow("may write");
});

test("the types of rows and values come from the statement", async () => {
  const executor: Executor = { run: async () => [{ id: 2, sentAt: null }] as never, count: async () => 0 };
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
  read("test.noColumn", (db) => db.selectFrom("setting").select("nowhere"));
  expect(rows).toEqual([{ id: 2, sentAt: null }]);
});
