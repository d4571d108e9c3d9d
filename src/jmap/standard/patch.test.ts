import { expect, test } from "vitest";
import { anything } from "../schema.ts";
import { applyPatch, patchedProperties } from "./patch.ts";
import type { Property } from "./type.ts";

const properties: Record<string, Property> = {
  name: { schema: anything },
  colour: { schema: anything, default: "red" },
  tags: { schema: anything, default: {}, isSet: true },
  list: { schema: anything },
  deep: { schema: anything },
};
const before = {
  id: "x",
  name: "n",
  colour: "blue",
  tags: { a: true, "x/y": true },
  list: [{ k: 1 }],
  deep: { one: { two: 2 } },
};
const apply = (patch: Record<string, unknown>) =>
  applyPatch(before, patch, (name) => (Object.hasOwn(properties, name) ? properties[name] : undefined));

test("sets, removes and restores defaults without changing the object itself", () => {
  const copy = structuredClone(before);
  expect(apply({ name: "m", "tags/b": true, "tags/a": null, colour: null })).toEqual({
    ...before,
    name: "m",
    colour: "red",
    tags: { b: true, "x/y": true },
  });
  expect(before).toEqual(copy);
  expect(apply({ "tags/x~1y": null }).tags).toEqual({ a: true });
  expect(apply({ "tags/~0~1": true }).tags).toHaveProperty(["~/"], true);
  expect(apply({ "deep/one/two": null, "deep/one/three": 3 }).deep).toEqual({ one: { three: 3 } });
  expect(apply({ "tags/none": null }).tags).toEqual(before.tags);
});

test("false removes from a set", () => {
  expect(apply({ "tags/a": false }).tags).toEqual({ "x/y": true });
  expect(apply({ "deep/one": false }).deep).toEqual({ one: false });
});

test.each([
  [{ "list/0": 1 }],
  [{ "list/0/k": 1 }],
  [{ "deep/none/two": 1 }],
  [{ "name/x": 1 }],
  [{ "none/x": 1 }],
  [{ "deep/one": {}, "deep/one/two": 1 }],
  [{ deep: {}, "deep/one/two": 1 }],
  [{ "deep/~2": 1 }],
  [{ "deep/constructor/x": 1 }],
  [{ "constructor/x": 1 }],
  [{ "toString/x/y": 1 }],
  [{ "__proto__/x": 1 }],
  [{ [`deep${"/a".repeat(2_000_000)}`]: 1 }],
])("%j is an invalid patch", (patch) => {
  expect(() => apply(patch)).toThrow(expect.objectContaining({ type: "invalidPatch" }));
});

test("names with a common beginning do not overlap", () => {
  expect(apply({ "deep/one": 1, "deep/one2": 2 }).deep).toEqual({ one: 1, one2: 2 });
});

test("prototypes are out of reach", () => {
  const patch = JSON.parse('{"__proto__":{"bad":true},"tags/__proto__":true}') as Record<string, unknown>;
  const after = apply(patch);
  expect(({} as Record<string, unknown>).bad).toBeUndefined();
  expect(after).not.toHaveProperty("bad");
  expect(Object.keys(after.tags as object)).toContain("__proto__");
});

test("names the properties of a patch", () => {
  expect(patchedProperties({ "tags/a": true, "tags/b": true, name: 1, "x~1y": 1 })).toEqual(["tags", "name", "x/y"]);
});
