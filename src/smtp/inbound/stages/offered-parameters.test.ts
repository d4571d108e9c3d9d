import { expect, test } from "vitest";
import { offeredParameters } from "./offered-parameters.ts";
import { factsOf, peer } from "./testing.ts";

test("a parameter that was not offered is refused, and its name is cut if it is long", () => {
  const check = offeredParameters("SIZE");
  const say = (parameters: object) =>
    check(peer(), factsOf.mail({ path: { address: "", parameters: { ...parameters } } }));
  expect(say({})).toMatchObject({ kind: "pass" });
  expect(say({ SIZE: "10" })).toMatchObject({ kind: "pass" });
  expect(say({ SIZE: "10", FOO: true })).toEqual({
    ...{ kind: "refuse", code: 555, status: "5.5.4" },
    text: "the parameter FOO is not offered here, send without it",
  });
  expect(say({ ["X".repeat(100)]: true })).toMatchObject({
    text: `the parameter ${"X".repeat(40)} is not offered here, send without it`,
  });
});
