import { expect, test } from "vitest";
import { createTestDatabase } from "../../test/support/postgres.ts";
import { silentLog } from "../base/log.ts";
import { Database } from "./database.ts";
import { unprepared } from "./sql.ts";

test("a day comes as it is written in the keys of objects, however the database writes dates", async () => {
  const { database, connection } = await createTestDatabase();
  await database.run(unprepared(`ALTER DATABASE ${connection.database} SET datestyle = 'SQL, DMY'`));
  const other = new Database({ ...connection, max: 1 }, silentLog);
  try {
    const rows = await other.run(unprepared("SELECT DATE '2026-02-03' AS day, NULL::date AS none"));
    expect(rows).toEqual([{ day: "2026-02-03", none: null }]);
  } finally {
    await other.close();
  }
});
