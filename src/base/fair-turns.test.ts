import { expect, test } from "vitest";
import { FairTurns, Seat } from "./fair-turns.ts";

function busy(time: number): void {
  const end = performance.now() + time;
  while (performance.now() < end);
}

function seat(network: string, login = ""): Seat {
  const made = new Seat(network);
  made.login = login;
  return made;
}

/** Keeps its seat busy with turns of that many ms, one after another. */
function flood(turns: FairTurns, one: Seat, time: number, until: { isOver: boolean }): void {
  const next = () => {
    if (until.isOver) return;
    turns.take(one, () => {
      busy(time);
      queueMicrotask(next);
    });
  };
  next();
}

test("work runs at once while nobody waits", () => {
  const turns = new FairTurns();
  let ran = false;
  expect(turns.take(seat("a"), () => (ran = true))).toBe(true);
  expect(ran).toBe(true);
});

test("work that is queued within a turn of the same connection runs in that turn", () => {
  const turns = new FairTurns();
  const one = seat("a");
  const order: string[] = [];
  turns.take(one, () => {
    expect(turns.take(one, () => order.push("inner"))).toBe(true);
    order.push("outer");
  });
  expect(order).toEqual(["inner", "outer"]);
});

test.each([
  ["network", (count: number) => seat("bad", `m${count}`), seat("good")],
  ["login", () => seat("a", "mallory"), seat("a", "ann")],
  ["connection", () => seat("a", "ann"), seat("a", "ann")],
])("light work waits for at most one turn beside a flood from another %s", async (_by, hostile, good) => {
  const turns = new FairTurns();
  const until = { isOver: false };
  for (let count = 0; count < 20; count++) flood(turns, hostile(count), 5, until);
  const waits: number[] = [];
  for (let count = 0; count < 10; count++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const begin = performance.now();
    await new Promise<void>((resolve) => turns.take(good, resolve));
    waits.push(performance.now() - begin);
  }
  until.isOver = true;
  // Twenty turns of the flood take 100 ms.
  expect(waits.sort((a, b) => a - b)[5]).toBeLessThan(60);
});
