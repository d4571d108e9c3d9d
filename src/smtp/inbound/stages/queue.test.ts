import { expect, test } from "vitest";
import { DatabaseProxy } from "../../../../test/support/database-proxy.ts";
import { createPlainDatabase } from "../../../../test/support/postgres.ts";
import { silentLog } from "../../../base/log.ts";
import { Database } from "../../../store/core/database.ts";
import { unprepared } from "../../../store/core/sql.ts";
import { queue } from "./queue.ts";
import { factsOf, peer } from "./testing.ts";

test("mail is put off at MAIL once the database has been away for two seconds, until it is back", async () => {
  const proxy = await DatabaseProxy.start((await createPlainDatabase()).connection);
  const database = new Database({ connectionString: proxy.url, max: 2 }, silentLog);
  const check = queue({ database });
  const said = () => check(peer(), factsOf.mail());
  const one = { ...unprepared("SELECT 1"), access: "read" as const };
  const ask = () => database.run(one).catch(() => {});
  try {
    await ask();
    await proxy.cut();
    const asked = ask();
    // It may be back while the recipients are named.
    await expect.poll(() => database.nodes.main.isAway).toBe(true);
    expect(said()).toMatchObject({ kind: "pass" });
    await asked;
    // The statement's two seconds began a little before those of the node.
    await expect.poll(said, { timeout: 1_000 }).toMatchObject({ kind: "defer", code: 451, status: "4.3.0" });
    await proxy.mend();
    await expect.poll(said, { timeout: 4_000 }).toMatchObject({ kind: "pass" });
  } finally {
    await database.close();
    await proxy.close();
  }
});
