import { expect, test } from "vitest";
import { statementsOf } from "./migration-files.ts";

test("semicolons in comments, strings, names and function bodies do not end a statement", () => {
  const statements = [
    "-- one; two\nCREATE TABLE a (b text DEFAULT ';''; -- ')",
    `/* here; 'and */ SELECT ";" FROM a -- it's; the end`,
    "DO $$ BEGIN PERFORM ';'; END $$",
    "CREATE FUNCTION f() AS $body$ SELECT $$;$$; $body$",
    "SELECT 1 - 2 / 3",
  ];
  expect(statementsOf(`${statements.join("\n;\n")};\n-- no more;\n`)).toEqual(statements);
  expect(statementsOf(" ;; -- nothing\n")).toEqual([]);
});
