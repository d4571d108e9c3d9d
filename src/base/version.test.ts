import { expect, test } from "vitest";
import { isOlder, version } from "./version.ts";

test("versions are compared number by number", () => {
  const sorted = ["0.1.9", "0.1.10", "0.2.0", "0.10.0", "1.0.0", "1.0.1", "10.0.0"];
  for (const [index, one] of sorted.entries()) {
    for (const [place, other] of sorted.entries()) expect(isOlder(one, other), `${one} ${other}`).toBe(index < place);
  }
});

test("this program's version can be compared", () => {
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});
