import { expect, test } from "vitest";
import { OctetPool } from "./octets.ts";

const million = 1_000_000;

test("a request has its limit, and a refused one takes nothing", () => {
  const octets = new OctetPool(100 * million, 3 * million).lease();
  octets.take(2 * million);
  expect(() => octets.take(2 * million)).toThrow(expect.objectContaining({ type: "requestTooLarge" }));
  octets.take(million);
});

test("what others hold is not there, beyond a first million, until they release it", () => {
  const pool = new OctetPool(4 * million, 4 * million);
  const [first, second, third] = [pool.lease(), pool.lease(), pool.lease()];
  first.take(4 * million);
  second.take(2 * million);
  expect(() => second.take(million)).toThrow(expect.objectContaining({ type: "serverUnavailable" }));
  third.take(million);
  expect(() => third.take(1)).toThrow(expect.objectContaining({ type: "serverUnavailable" }));
  first.release();
  first.release();
  second.take(2 * million);
  third.take(million);
  expect(() => third.take(1)).toThrow(expect.objectContaining({ type: "serverUnavailable" }));
});
