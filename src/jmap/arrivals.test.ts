import { expect, test } from "vitest";
import { Arrivals } from "./arrivals.ts";

const million = 1_000_000;

test("the request of a login that has been arriving for the longest is given up for a later one", () => {
  const arrivals = new Arrivals(100 * million, 3 * million);
  const gone: string[] = [];
  const [first, second, third] = ["first", "second", "third"].map((name) => arrivals.begin("a", () => gone.push(name)));
  first!.grow(2 * million);
  second!.grow(2 * million);
  expect(gone).toEqual(["first"]);
  third!.grow(million / 2);
  expect(gone).toEqual(["first"]);
  const other = arrivals.begin("b", () => gone.push("other"));
  other.grow(2 * million);
  expect(gone).toEqual(["first"]);
  expect(first!.settle(2 * million)).toBe(false);
  expect(second!.settle(2 * million)).toBe(true);
});

test("the oldest request of all logins is given up too; a request alone is never too large", () => {
  const arrivals = new Arrivals(4 * million, 3 * million);
  const gone: string[] = [];
  const begin = (login: string) => arrivals.begin(login, () => gone.push(login));
  const alone = begin("a");
  alone.grow(50 * million);
  expect(gone).toEqual([]);
  begin("b").grow(2 * million);
  expect(gone).toEqual(["a"]);
  begin("c").grow(3 * million);
  expect(gone).toEqual(["a", "b"]);
});

test("a whole request is not given up: the next one is refused", () => {
  const arrivals = new Arrivals(4 * million, 4 * million);
  const [first, second] = [arrivals.begin("a", () => {}), arrivals.begin("a", () => {})];
  expect(first.settle(3 * million)).toBe(true);
  expect(second.settle(3 * million)).toBe(false);
  first.end();
  expect(arrivals.begin("a", () => {}).settle(3 * million)).toBe(true);
});

test("an announced request waits for room", async () => {
  const arrivals = new Arrivals(4 * million, 4 * million);
  const [first, second] = [arrivals.begin("a", () => {}), arrivals.begin("a", () => {})];
  expect(await first.announce(3 * million)).toBe(true);
  let isIn = false;
  const waiting = second.announce(3 * million).then((hasRoom) => (isIn = hasRoom));
  await Promise.resolve();
  expect(isIn).toBe(false);
  first.end();
  await waiting;
  expect(isIn).toBe(true);
});

test("small requests are not counted", () => {
  const arrivals = new Arrivals(1, 1);
  for (let count = 0; count < 100; count++) expect(arrivals.begin("a", () => {}).settle(60_000)).toBe(true);
});
