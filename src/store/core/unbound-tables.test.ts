import { expect, test } from "vitest";
import { unboundTables } from "./unbound-tables.ts";

test.each([
  "SELECT id FROM email WHERE user_id = $1 AND id = $2",
  "SELECT e.id FROM email e JOIN message m ON m.user_id = $1 AND m.no = e.no WHERE e.user_id = $1",
  "INSERT INTO change (user_id, type) SELECT a.user_id, c.type FROM account a, unnest($2::int[]) AS c (type) WHERE a.user_id = $1",
  "UPDATE account SET modseq = modseq + 1 WHERE user_id = $1 RETURNING modseq",
  "INSERT INTO account (user_id, name) VALUES ($1, $2)",
  "SELECT value FROM setting WHERE name = $1",
])("no table is reported for a bound statement: %s", (text) => {
  expect(unboundTables(text)).toEqual([]);
});

test.each([
  ["SELECT id FROM email WHERE id = $1", "email"],
  [
    "SELECT e.id FROM email e JOIN message m ON m.user_id = e.user_id AND m.no = e.no WHERE e.user_id = $1",
    "message m",
  ],
  [
    "SELECT (SELECT count(*) FROM change c WHERE c.user_id = a.user_id) FROM account a WHERE a.user_id = $1",
    "change c",
  ],
  ["DELETE FROM email USING message WHERE email.user_id = $1 AND message.no = email.no", "message"],
])("the unbound table is reported: %s", (text, table) => {
  expect(unboundTables(text)).toEqual([table]);
});

test.each([
  ["-- note\nSELECT id FROM email WHERE id = $1", "email"],
  ["/* note */ SELECT id FROM email WHERE id = $1", "email"],
  ["SELECT id FROM email WHERE id = $1 -- AND user_id = $1", "email"],
  ["SELECT id FROM email WHERE '--' <> '' AND id = $1 -- AND user_id = $1", "email"],
  ["INSERT INTO email (id) SELECT 1", "email"],
  ["INSERT INTO email (user_id, id) VALUES (7, $1)", "email"],
])("comments and literals do not bind a table: %s", (text, table) => {
  expect(unboundTables(text)).toEqual([table]);
});
