import { expect, test } from "vitest";
import { together } from "./together.ts";

test("what comes while others are at work waits for the next round, for each key by itself", async () => {
  const rounds: [string, number[]][] = [];
  let isFree = () => {};
  const double = together(async (key: string, items: number[]) => {
    rounds.push([key, items]);
    if (rounds.length === 1) await new Promise<void>((resolve) => (isFree = resolve));
    return items.map((item) => item * 2);
  });
  const results = Promise.all([double("a", 1), double("a", 2), double("b", 3), double("a", 4)]);
  await new Promise((resolve) => setImmediate(resolve));
  isFree();
  expect(await results).toEqual([2, 4, 6, 8]);
  expect(rounds).toEqual([
    ["a", [1]],
    ["b", [3]],
    ["a", [2, 4]],
  ]);
});

test("a round has a limit, and the first item waits for others", async () => {
  const rounds: number[][] = [];
  const take = together(
    async (_: 0, items: number[]) => {
      rounds.push(items);
      return items;
    },
    { afterMs: 20, maxItems: 3 },
  );
  await Promise.all([1, 2, 3, 4].map((item) => take(0, item)));
  expect(rounds).toEqual([[1, 2, 3], [4]]);
});

test("a failure is that of its round alone", async () => {
  const take = together(async (_: 0, items: string[]) => {
    if (items.includes("bad")) throw new Error("spoilt");
    return items;
  });
  const outcomes = await Promise.allSettled(["good", "bad", "late"].map((item) => take(0, item)));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  expect(await take(0, "good")).toBe("good");
});
