import { expect, test } from "vitest";
import { createTestDatabase } from "../../../test/support/postgres.ts";
import { unprepared } from "../core/sql.ts";
import { queueDepths } from "./queue-sweeps.ts";

const statements: string[] = [];
const { database } = await createTestDatabase((text) => statements.push(text));
const now = new Date("2026-11-30T12:00:00Z");
const secondsAgo = (seconds: number) => new Date(now.getTime() - seconds * 1000);

const insertIncoming = unprepared(`
  INSERT INTO incoming (id, created_at, sha256, day, size, mail_from, recipients, leased_by, leased_until)
  VALUES ($1, $2, '\\x00', '2026-11-30', 1, '', '[]', 'test', now())`);
const insertDue = unprepared("INSERT INTO due (user_id, submission_id, next_attempt_at) VALUES (1, $1, $2)");

test("empty queues have no length and no age; one statement finds both queues", async () => {
  statements.length = 0;
  const nothing = { incoming: 0, incomingAgeSeconds: 0, setAside: 0, outgoing: 0, due: 0, dueAgeSeconds: 0 };
  expect(await queueDepths(database, now)).toEqual(nothing);
  expect(statements).toHaveLength(1);
});

test("the oldest counts for the age, and only submissions whose time has come are due", async () => {
  for (const [id, age] of [30, 90, 60].entries()) await database.run(insertIncoming, [id, secondsAgo(age)]);
  await database.run(insertIncoming, [3, secondsAgo(600)]);
  await database.run(unprepared("UPDATE incoming SET set_aside_at = now() WHERE id = 3"));
  for (const [id, age] of [-600, 0, 5, -1].entries()) await database.run(insertDue, [id, secondsAgo(age)]);
  expect(await queueDepths(database, now)).toEqual({
    incoming: 3,
    incomingAgeSeconds: 90,
    setAside: 1,
    outgoing: 4,
    due: 2,
    dueAgeSeconds: 5,
  });
});
