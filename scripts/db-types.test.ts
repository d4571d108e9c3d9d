import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { createPlainDatabase } from "../test/support/postgres.ts";
import { describeTables } from "./db-types.ts";

test("src/store/core/db.ts matches the migrations (`npm run db:types` writes it)", async () => {
  const { database } = await createPlainDatabase();
  const text = await readFile(new URL("../src/store/core/db.ts", import.meta.url), "utf8");
  expect(text).toBe(await describeTables(database));
});
