import { expect, test } from "vitest";
import { networkOf, Throttle } from "./throttle.ts";

test("after the free failures the wait doubles, and a success clears it", () => {
  let now = 1_000_000;
  const throttle = new Throttle({ free: 3, clock: { now: () => new Date(now) } });
  for (const blocked of [false, false, true]) {
    throttle.attempt("a");
    expect(throttle.isBlocked("a")).toBe(blocked);
  }
  now += 1001;
  expect(throttle.isBlocked("a")).toBe(false);
  throttle.attempt("a");
  now += 1999;
  expect(throttle.isBlocked("a")).toBe(true);
  now += 2;
  expect(throttle.isBlocked("a")).toBe(false);
  expect(throttle.isBlocked("b")).toBe(false);
  throttle.forgive("a");
  throttle.attempt("a");
  expect(throttle.isBlocked("a")).toBe(false);
});

test("memory is bounded, and failures are forgotten after an hour", () => {
  let now = 1_000_000;
  const throttle = new Throttle({ free: 1, clock: { now: () => new Date(now) }, maxKeys: 100 });
  for (let index = 0; index < 1000; index++) throttle.attempt(`key ${index}`);
  expect(throttle.isBlocked("key 1")).toBe(false);
  expect(throttle.isBlocked("key 999")).toBe(true);
  for (let count = 0; count < 30; count++) throttle.attempt("key 999");
  now += 3600_001;
  throttle.attempt("key 999");
  now += 1001;
  expect(throttle.isBlocked("key 999")).toBe(false);
});

test("the network of an IPv6 address is its first 64 bits", () => {
  expect(networkOf("192.0.2.7")).toBe("192.0.2.7");
  expect(networkOf("::ffff:192.0.2.7")).toBe("192.0.2.7");
  expect(networkOf("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2");
  expect(networkOf("2001:db8::6")).toBe("2001:db8:0:0");
  expect(networkOf("::1")).toBe("0:0:0:0");
});
