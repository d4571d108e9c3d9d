import { expect, test } from "vitest";
import { createTestDatabase } from "../../../test/support/postgres.ts";
import { groupOf, hashOf } from "./node-of.ts";
import { unprepared } from "./sql.ts";

test("an account's hash is Postgres's own", async () => {
  const { database } = await createTestDatabase();
  const ids = [0, 1, 2, 3, 41, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 48 + 1, Number.MAX_SAFE_INTEGER];
  for (let count = 0; count < 1_000; count++) ids.push(Math.floor(Math.random() * 2 ** (1 + (count % 52))));
  const rows = await database.run(
    unprepared<{ id: number; hash: number }>("SELECT id, hashint8(id) AS hash FROM unnest($1::bigint[]) AS id"),
    [ids],
  );
  for (const { id, hash } of rows) expect(hashOf(id), String(id)).toBe(hash);
});

test("an account belongs to the group whose range has its hash", () => {
  const hash = hashOf(7);
  const ranges = [
    { min: -(2 ** 31), max: hash - 1, group: 1 },
    { min: hash, max: hash, group: 2 },
    { min: hash + 1, max: 2 ** 31 - 1, group: 3 },
  ];
  expect(groupOf(ranges, 7)).toBe(2);
  expect(groupOf(ranges.slice(0, 1), 7)).toBeUndefined();
  expect(groupOf(ranges.slice(2), 7)).toBeUndefined();
  expect(groupOf([], 7)).toBeUndefined();
  const counts = new Map<number, number>();
  const quarters = [1, 2, 3, 4].map((group) => {
    const min = -(2 ** 31) + (group - 1) * 2 ** 30;
    return { min, max: min + 2 ** 30 - 1, group };
  });
  for (let id = 1; id <= 4_000; id++) {
    const group = groupOf(quarters, id)!;
    counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  for (const [, count] of counts) expect(count).toBeGreaterThan(800);
  expect(counts.size).toBe(4);
});
