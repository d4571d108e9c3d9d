import { expect, test } from "vitest";
import { createTestDatabase } from "../../../test/support/postgres.ts";
import { silentLog } from "../../base/log.ts";
import { unprepared } from "../core/sql.ts";
import { claimDue, nextDue } from "./due.ts";
import { astrayDeliveries, queueDepths } from "./queue-sweeps.ts";

const { database } = await createTestDatabase();
const now = new Date("2026-12-01T12:00:00Z");

/** Submissions of 50 accounts, each waiting for its next attempt. */
async function wait(from: number, to: number): Promise<void> {
  const later = "'2026-12-01T12:00:00Z'::timestamptz + n % 14400 * interval '1 second' + interval '1 second'";
  await database.run(
    unprepared(`/* test */ INSERT INTO delivery (user_id, submission_id, no, rcpt_to, state, next_attempt_at, smtp_reply, delivered, displayed)
      SELECT n % 50 + 1, n, 0, 'a@b.test', 'queued', ${later}, '451', 'queued', 'unknown' FROM generate_series(${from}, ${to}) n`),
  );
  await database.run(
    unprepared(`/* test */ INSERT INTO due SELECT n % 50 + 1, n, ${later} FROM generate_series(${from}, ${to}) n`),
  );
  await database.run(unprepared("/* test */ VACUUM ANALYZE delivery, due"));
}

/** The fastest of several runs, in ms. */
async function fastest(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 10; run++) {
    const begin = performance.now();
    await work();
    times.push(performance.now() - begin);
  }
  return Math.min(...times);
}

async function measure() {
  return {
    look: await fastest(async () => {
      expect(await claimDue(database, now, now, 100)).toEqual([]);
      await nextDue(database);
    }),
    sweep: await fastest(() => astrayDeliveries(database, silentLog, { holder: "me", now, limit: 1_000 })),
    scrape: await fastest(() => queueDepths(database, now)),
  };
}

test("100,000 waiting rows cost no more a second than 100", async () => {
  await wait(1, 100);
  const few = await measure();
  await wait(101, 100_000);
  const many = await measure();
  // A process looks every two seconds at least, sweeps every two minutes, and is scraped every 15 seconds.
  const aSecond = ({ look, sweep, scrape }: typeof few) => look / 2 + sweep / 120 + scrape / 15;
  expect(aSecond(many), JSON.stringify({ few, many })).toBeLessThan(aSecond(few) + 1);
  expect(many.look, "looking for work").toBeLessThan(few.look * 3 + 1);
  expect(many.sweep, "the sweep").toBeLessThan(few.sweep * 3 + 5);
}, 60_000);
