import { expect, test } from "vitest";
import { slotOf } from "./slot.ts";

test.each([
  ["123456789", 12739],
  ["", 0],
  ["foo", 12182],
  ["posthorn:{417}12345", slotOf("417")],
  ["{}foo", slotOf("{}foo")],
])("the slot of %j is that of CLUSTER KEYSLOT", (name, slot) => {
  expect(slotOf(name)).toBe(slot);
});
