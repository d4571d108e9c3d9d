import { expect, test } from "vitest";
import { Held } from "./held.ts";

const due = (userId: number, submissionId: number) => ({ userId, submissionId });
const fill = (held: Held, account: number, count: number, isBulk = false) => {
  for (let id = 1; id <= count; id++) held.add(due(account, id), isBulk);
};

test("an account gets a part of the room, and nobody else's", () => {
  const held = new Held(() => {});
  fill(held, 1, 100);
  expect(held.free(false)).toEqual({ room: 300, full: [1] });
  expect(held.free(true)).toEqual({ room: 100, full: [] });
  held.remove(due(1, 1), false);
  expect(held.free(false).full).toEqual([]);
});

test("bulk mail leaves half of the room", () => {
  const held = new Held(() => {});
  for (const account of [1, 2]) fill(held, account, 100, true);
  expect(held.free(true).room).toBe(0);
  expect(held.free(false)).toEqual({ room: 200, full: [] });
});

test("what could not be claimed is looked for again when there is room", () => {
  let calls = 0;
  const held = new Held(() => calls++);
  fill(held, 1, 100);
  held.free(false);
  expect(held.isShort).toBe(true);
  for (let id = 1; id <= 49; id++) held.remove(due(1, id), false);
  expect([calls, held.has(due(1, 50)), held.has(due(1, 1))]).toEqual([0, true, false]);
  held.remove(due(1, 50), false);
  expect([calls, held.isShort]).toEqual([1, false]);
});

test("a submission that is worked on twice is known until both have ended", () => {
  const held = new Held(() => {});
  held.add(due(1, 1), false);
  held.add(due(1, 1), false);
  held.remove(due(1, 1), false);
  expect(held.has(due(1, 1))).toBe(true);
  held.remove(due(1, 1), false);
  expect(held.has(due(1, 1))).toBe(false);
});
