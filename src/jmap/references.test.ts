import { expect, test } from "vitest";
import type { Invocation } from "./references.ts";
import { resolveReferences } from "./references.ts";

const responses: Invocation[] = [
  ["Foo/query", { ids: ["a", "b"], total: null, "a/b": { "~": 7 } }, "q"],
  [
    "Foo/get",
    {
      list: [
        { id: "a", parts: ["x", "y"] },
        { id: "b", parts: ["z"] },
      ],
    },
    "g",
  ],
  ["Foo/get", { list: [] }, "g"],
];
const budget = () => ({ left: 1_000 });
const resolve = (path: string, resultOf = "q", name = "Foo/query") =>
  resolveReferences({ "#ids": { resultOf, name, path }, other: 1 }, responses, budget());

test("arguments without references stay the same object", () => {
  const args = { ids: ["a"] };
  expect(resolveReferences(args, responses, budget())).toBe(args);
});

test.each([
  ["/ids", "q", "Foo/query", ["a", "b"]],
  ["/ids/1", "q", "Foo/query", "b"],
  ["/total", "q", "Foo/query", null],
  ["/a~1b/~0", "q", "Foo/query", 7],
  ["/list/*/id", "g", "Foo/get", ["a", "b"]],
  ["/list/*/parts", "g", "Foo/get", ["x", "y", "z"]],
  ["", "q", "Foo/query", responses[0]![1]],
])("%s of %s", (path, resultOf, name, value) => {
  expect(resolve(path, resultOf, name)).toEqual({ ids: value, other: 1 });
});

test.each([
  ["/nothing", "q", "Foo/query"],
  ["/ids", "later", "Foo/query"],
  ["/ids", "q", "Foo/get"],
  ["/ids/*/id", "q", "Foo/query"],
  ["/ids/01", "q", "Foo/query"],
  ["/ids/-", "q", "Foo/query"],
  ["/list/*/none", "g", "Foo/get"],
  ["ids", "q", "Foo/query"],
  ["/a~2b", "q", "Foo/query"],
  ["/constructor", "q", "Foo/query"],
])("%s of %s as %s fails", (path, resultOf, name) => {
  expect(() => resolve(path, resultOf, name)).toThrow(expect.objectContaining({ type: "invalidResultReference" }));
});

test("malformed references fail", () => {
  for (const reference of [null, "x", [], { resultOf: "q", name: "Foo/query" }]) {
    expect(() => resolveReferences({ "#ids": reference }, responses, budget())).toThrow(
      expect.objectContaining({ type: "invalidResultReference" }),
    );
  }
});

test("the same argument as value and reference is invalid", () => {
  const reference = { resultOf: "q", name: "Foo/query", path: "/ids" };
  expect(() => resolveReferences({ ids: [], "#ids": reference }, responses, budget())).toThrow(
    expect.objectContaining({ type: "invalidArguments" }),
  );
});

test("what a request refers to is bounded in total", () => {
  const spent = { left: 100 };
  const whole = { resultOf: "g", name: "Foo/get", path: "" };
  expect(resolveReferences({ "#a": whole }, responses, spent)).toEqual({ a: responses[1]![1] });
  expect(() => resolveReferences({ "#a": whole, "#b": whole }, responses, spent)).toThrow(
    expect.objectContaining({ type: "requestTooLarge" }),
  );
});
