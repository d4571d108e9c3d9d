import { expect, test } from "vitest";
import { OctetPool } from "./octets.ts";

const million = 1_000_000;

test("a request has its limit, and gets nothing more once refused", () => {
  const octets = new OctetPool(100 * million, 3 * million).lease();
  octets.take(2 * million);
  expect(() => octets.take(2 * million)).toThrow(expect.objectContaining({ type: "requestTooLarge" }));
  expect(() => octets.take(0)).toThrow(expect.objectContaining({ type: "requestTooLarge" }));
});

test("octets that others hold are not available, beyond a request's first million, until released", () => {
  const pool = new OctetPool(4 * million, 4 * million);
  const [first, second, third, fourth] = [pool.lease(), pool.lease(), pool.lease(), pool.lease()];
  first.take(4 * million);
  second.take(2 * million);
  expect(() => second.take(million)).toThrow(expect.objectContaining({ type: "serverUnavailable" }));
  third.take(million);
  expect(() => third.take(1)).toThrow(expect.objectContaining({ type: "serverUnavailable" }));
  first.release();
  first.release();
  fourth.take(4 * million);
  expect(() => pool.lease().take(million + 1)).toThrow(expect.objectContaining({ type: "serverUnavailable" }));
});
