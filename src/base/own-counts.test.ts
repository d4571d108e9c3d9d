import { describe, expect, test } from "vitest";
import { sharedCountsContract } from "../../test/support/contracts/shared-counts.ts";
import { OwnCounts } from "./own-counts.ts";

describe("OwnCounts", () => {
  sharedCountsContract((clock) => new OwnCounts({ clock }));
});

test("memory is bounded", () => {
  const counts = new OwnCounts({ clock: { now: () => new Date(1_000_000) }, maxKeys: 100 });
  const throttle = counts.throttle("login", { free: 1 });
  for (let index = 0; index < 1000; index++) throttle.attempt(`key ${index}`);
  expect(throttle.isBlocked("key 1")).toBe(false);
  expect(throttle.isBlocked("key 999")).toBe(true);
});
