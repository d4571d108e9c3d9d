import { expect, test } from "vitest";
import { isOnCitus } from "../../../test/support/citus.ts";
import { explain, nodesOf } from "../../../test/support/explain.ts";
import { createTestDatabase } from "../../../test/support/postgres.ts";
import { silentLog } from "../../base/log.ts";
import { unprepared } from "../core/sql.ts";
import { claimDue, hintNewer, nextDue } from "./due.ts";
import { astrayDeliveries, queueDepths } from "./queue-sweeps.ts";

const seen: { text: string; values: readonly unknown[] }[] = [];
const { database } = await createTestDatabase((text, values) => void seen.push({ text, values }));
const now = new Date("2026-12-01T12:00:00Z");

/** Submissions of 50 accounts, each waiting for its next attempt. */
async function wait(from: number, to: number): Promise<void> {
  const later = "'2026-12-01T12:00:00Z'::timestamptz + n % 14400 * interval '1 second' + interval '1 second'";
  await database.run(
    unprepared(`/* test */ INSERT INTO delivery (user_id, submission_id, no, rcpt_to, state, next_attempt_at, smtp_reply, delivered, displayed)
      SELECT n % 50 + 1, n, 0, 'a@b.test', 'queued', ${later}, '451', 'queued', 'unknown' FROM generate_series(${from}, ${to}) n`),
  );
  await database.run(
    unprepared(
      `/* test */ INSERT INTO due (user_id, submission_id, next_attempt_at) SELECT n % 50 + 1, n, ${later} FROM generate_series(${from}, ${to}) n`,
    ),
  );
  await database.run(unprepared("/* test */ VACUUM ANALYZE delivery, due"));
}

/** How many rows and pages the statements of this work read, and how many they are. */
async function effort(work: () => Promise<unknown>): Promise<{ statements: number; rows: number; pages: number }> {
  seen.length = 0;
  await work();
  const statements = seen.splice(0);
  const sum = { statements: statements.length, rows: 0, pages: 0 };
  for (const { text, values } of statements) {
    const plan = await explain(database, text, values);
    sum.pages += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"];
    for (const node of nodesOf(plan)) {
      if (node["Relation Name"] === undefined && node["Index Name"] === undefined) continue;
      sum.rows += (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"];
    }
  }
  return sum;
}

const measure = async () => ({
  look: await effort(async () => {
    for (const bulk of [false, true]) {
      expect(await claimDue(database, { now, until: now, limit: 50, bulk, full: [] })).toEqual([]);
    }
    await nextDue(database);
  }),
  sweep: await effort(() => astrayDeliveries(database, silentLog, { holder: "me", now, limit: 1_000 })),
  hint: await effort(() => hintNewer(database, 1, { now, after: 1_000_000 })),
  scrape: await effort(() => queueDepths(database, now)),
});

// On Citus a sweep is planned for all shards together.
test.skipIf(isOnCitus)(
  "100,000 waiting rows cost no more a second than 100",
  async () => {
    await wait(1, 100);
    const few = await measure();
    await wait(101, 100_000);
    const many = await measure();
    for (const act of ["look", "sweep", "hint"] as const) {
      const told = `${act}: ${JSON.stringify({ few: few[act], many: many[act] })}`;
      expect(many[act].statements, told).toBe(few[act].statements);
      expect(many[act].rows, told).toBeLessThanOrEqual(few[act].rows + 10);
      // Indexes are a level or two higher, and of 100 rows the table is read whole, not the index for each of 50 accounts.
      expect(many[act].pages, told).toBeLessThanOrEqual(few[act].pages + 150);
    }
    // To count what waits has a limit, beyond which there is an estimate.
    expect(many.scrape.rows, JSON.stringify(many.scrape)).toBeLessThan(10_100);
    const { outgoing } = await queueDepths(database, now);
    expect(Math.abs(outgoing - 100_000)).toBeLessThan(5_000);
  },
  60_000,
);
