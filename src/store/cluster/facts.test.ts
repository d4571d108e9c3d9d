import { expect, test } from "vitest";
import { until } from "../../../test/support/ports.ts";
import { startPair } from "../../../test/support/standby.ts";
import { silentLog } from "../../base/log.ts";
import { Database } from "../core/database.ts";
import { durabilityFaults } from "./check.ts";
import { readFacts } from "./facts.ts";

test("a primary tells of its synchronous standby and how far that is behind, and of its loss", async () => {
  const pair = await startPair();
  const database = new Database({ connectionString: pair.url.replace(/,[^/]+/, ""), max: 2 }, silentLog);
  try {
    const facts = await readFacts(database);
    expect(facts.standbys).toEqual([
      { name: expect.any(String), syncState: "sync", lagMs: expect.any(Number), lagBytes: expect.any(Number) },
    ]);
    expect(durabilityFaults(facts)).toEqual([]);
    await pair.standby.kill();
    const alone = await until("the standby is missed", async () => {
      const now = await readFacts(database);
      return now.standbys.length === 0 ? now : undefined;
    });
    expect(durabilityFaults(alone)).toMatchObject([{ problem: expect.stringContaining("no standby is connected") }]);
  } finally {
    await database.close();
    await pair.dispose();
  }
}, 30_000);
