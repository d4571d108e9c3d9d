import { expect, test } from "vitest";
import { PeerLimits } from "./limits.ts";
import { Refusal } from "./reply.ts";

test("the addresses of one IPv6 network count as one, and their places come free again", () => {
  const limits = new PeerLimits({ now: () => new Date() });
  const address = (at: number) => `2001:db8:1:2::${at.toString(16)}`;
  for (let at = 1; at <= 100; at++) limits.connected(address(at));
  expect(() => limits.connected(address(101))).toThrow(Refusal);
  limits.connected("2001:db8:1:3::1");
  // The one that was refused closes as well.
  for (let at = 1; at <= 2; at++) limits.closed(address(at), "x");
  limits.connected(address(200));
  expect(() => limits.connected(address(201))).toThrow(Refusal);
});
