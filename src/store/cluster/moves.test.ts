import { expect, test } from "vitest";
import { partsOf } from "./moves.ts";

const range = { shard: 1, group: 1, min: -10, max: 20 };
const to = { accountTo: 5, othersTo: 6 };

test.each([
  ["amid its range", 3, { ends: ["2", "3"], nodes: [6, 5, 6] }],
  ["at its beginning", -10, { ends: ["-10"], nodes: [5, 6] }],
  ["at its end", 20, { ends: ["19"], nodes: [6, 5] }],
])("an account %s gets a part of its own", (_, hash, parts) => {
  expect(partsOf({ range, hash, ...to })).toEqual(parts);
});
