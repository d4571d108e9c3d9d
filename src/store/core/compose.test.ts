import { sql } from "kysely";
import { expect, test } from "vitest";
import { account, compose, join, none } from "./compose.ts";

test("the account is always $1, and other values are numbered in order", () => {
  const size = sql`size > ${5}::bigint`;
  const query = sql`SELECT id${none} FROM email WHERE ${join([size, sql`user_id = ${account}`], sql` AND `)} LIMIT ${30}`;
  expect(compose(query, 7)).toEqual({
    text: "SELECT id FROM email WHERE size > $2::bigint AND user_id = $1 LIMIT $3",
    values: [7, 5, 30],
  });
});

test("a fragment used twice numbers its values once, and equal values of other fragments get numbers of their own", () => {
  const list = sql`ANY (${[1, 2]}::bigint[])`;
  const query = sql`user_id = ${account} AND (a = ${list} OR b = ${list} OR c = ${4} OR d = ${4})`;
  expect(compose(query, 7)).toEqual({
    text: "user_id = $1 AND (a = ANY ($2::bigint[]) OR b = ANY ($2::bigint[]) OR c = $3 OR d = $4)",
    values: [7, [1, 2], 4, 4],
  });
});

test("whatever a client sends becomes a value, never text of the statement", () => {
  const sent = "'; DROP TABLE email; --";
  expect(compose(sql`keyword = ${sent}`, 7)).toEqual({ text: "keyword = $2", values: [7, sent] });
});

test("parts of kysely's builder are refused", () => {
  expect(() => compose(sql`SELECT ${sql.ref("email.id")}`, 7)).toThrow("a composed statement has no ReferenceNode");
});
