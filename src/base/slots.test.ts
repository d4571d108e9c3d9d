import { expect, test } from "vitest";
import { Slots } from "./slots.ts";

const long = 60_000;

test("while much waits, each who brings more goes on when one is done, or after a time", async () => {
  const slots = new Slots(1);
  const works = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const runs = works.map(({ promise }) => slots.run(() => promise));
  expect(slots.waiting).toBe(3);
  const gone: string[] = [];
  const bring = (name: string, count: number, maxMs: number) => slots.room(count, maxMs).then(() => gone.push(name));
  await bring("little waits", 4, long);
  const [first, second] = [bring("first", 3, long), bring("second", 3, long)];
  await bring("impatient", 3, 10);
  expect(gone).toEqual(["little waits", "impatient"]);
  works[0]!.resolve();
  await first;
  expect(gone).toEqual(["little waits", "impatient", "first"]);
  works[1]!.resolve();
  await second;
  for (const { resolve } of works) resolve();
  await Promise.all(runs);
  await bring("nothing waits", 1, long);
});
