import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { timeFor, tries } from "../../test/support/fuzz.ts";
import { createFuzzHost, type FuzzHost, type FuzzWorld } from "../../test/support/fuzz-world.ts";
import type { TestClient } from "../../test/support/jmap.ts";
import { judge } from "../../test/support/judge.ts";
import { MethodError, SetError } from "./errors.ts";
import type { Method } from "./method.ts";
import { methods } from "./methods.ts";
import { type Invocation, resolveReferences } from "./references.ts";
import { anything } from "./schema.ts";
import { applyPatch } from "./standard/patch.ts";

/** Values that parsers often mishandle, and ids that may exist. */
const odd = fc.constantFrom<unknown>(
  null,
  "",
  "#a",
  "m1",
  "m2",
  "t1",
  "1-1",
  "1-3-2",
  "inbox",
  "\u0000",
  "\ud800",
  "é".repeat(200),
  -1,
  2 ** 53,
  1e308,
  0.5,
  [],
  {},
  true,
  false,
);
const leaf = fc.oneof(odd, fc.string({ unit: "binary", maxLength: 8 }), fc.integer());
const key = fc.oneof(
  fc.constantFrom("m1", "m2", "#a", "a", "b", "name", "parentId", "role", "id", "operator", "conditions", "property"),
  fc.constantFrom("sortOrder", "isSubscribed", "hasAnyRole", "myRights/x", "name/x", "__proto__", "constructor", "~"),
  fc.string({ maxLength: 4 }),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4 }),
  ),
}));
/** Arguments that the method knows, references in their place, and unknown arguments. */
function argumentsOf(method: Method): fc.Arbitrary<Record<string, unknown>> {
  const known = Object.keys((method.args.json as { properties: object }).properties);
  const names = known.filter((name) => name !== "accountId");
  const argument = fc.constantFrom(...names, ...names, ...names.map((name) => `#${name}`), "nonsense", "__proto__");
  return fc.dictionary(argument, value, { maxKeys: 5 });
}

let host: FuzzHost;
let world: FuzzWorld;
let client: TestClient;

beforeAll(async () => {
  host = await createFuzzHost();
  world = await host.world();
  ({ client } = world);
});

test("whatever the arguments are, a method answers or gives an error of the RFCs", {
  timeout: timeFor(800, 500),
}, async () => {
  const call = fc.constantFrom(...methods).chain((method) => fc.tuple(fc.constant(method.name), argumentsOf(method)));
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 4 }), async (calls) => {
      const invocations = calls.map(([name, args], n): Invocation => {
        const hasAccount = methods.find((method) => method.name === name)!.access !== "none";
        return [name, { ...args, ...(hasAccount && { accountId: client.account }) }, `${n}`];
      });
      const { responses } = await client.request(invocations);
      expect(host.failures).toEqual([]);
      for (const [n, invocation] of invocations.entries()) {
        const response = responses.find(([, , callId]) => callId === `${n}`);
        judge(invocation, JSON.parse(JSON.stringify(response)));
      }
    }),
    tries(800),
  );
  expect(await world.findings()).toEqual([]);
});

test("whatever the records are, /set judges each", { timeout: timeFor(300, 500) }, async () => {
  const record = fc.dictionary(key, fc.oneof(leaf, value), { maxKeys: 5 });
  const names = fc.constantFrom("x", "y", "z", "Inbox", "Trash");
  const sound = fc.record(
    {
      name: names,
      parentId: fc.constantFrom(null, "#a", "#b", "#c", "m1", "m7", "m8", "m9"),
      role: fc.constantFrom(null, "trash", "inbox", "all"),
      sortOrder: fc.nat(9),
    },
    { requiredKeys: ["name"] },
  );
  const id = fc.constantFrom("m1", "m2", "m3", "m6", "m7", "m8", "m9", "m10", "m11", "#a", "nonsense");
  const args = fc.record({
    create: fc.dictionary(fc.constantFrom("a", "b", "c"), fc.oneof(sound, record)),
    update: fc.dictionary(id, fc.oneof(sound, record), { maxKeys: 4 }),
    destroy: fc.array(id, { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(args, async ({ create, update, destroy }) => {
      const response = await client.call("Mailbox/set", { create, update, destroy });
      expect(host.failures).toEqual([]);
      if (response.type !== undefined) return;
      const told = { ...(response.created as object), ...(response.notCreated as object) };
      expect(Object.keys(told).sort()).toEqual(Object.keys(create).sort());
      const { list } = await client.call("Mailbox/get");
      const mailboxes = list as { id: string; name: string; parentId: string | null; role: string | null }[];
      const ids = new Set(mailboxes.map((mailbox) => mailbox.id));
      const places = mailboxes.map(({ name, parentId }) => `${parentId} ${name}`);
      expect(new Set(places).size).toBe(places.length);
      for (const { parentId } of mailboxes) expect(parentId === null || ids.has(parentId)).toBe(true);
      expect(mailboxes.filter(({ role }) => role === "inbox")).toHaveLength(1);
    }),
    tries(300),
  );
});

test("patches and references fail with their own errors alone", () => {
  const object = { a: { b: [1, { c: 2 }], "x/y": { z: null } }, s: "text" };
  const path = fc.array(fc.constantFrom("a", "b", "0", "*", "c", "x~1y", "~", "z", "s", "__proto__", ""), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(
      fc.dictionary(
        path.map((parts) => parts.join("/")),
        value,
        { maxKeys: 4 },
      ),
      (patch) => {
        try {
          applyPatch(structuredClone(object), patch, () => ({ schema: anything }));
        } catch (error) {
          expect(error).toBeInstanceOf(SetError);
        }
      },
    ),
  );
  fc.assert(
    fc.property(path, value, (parts, extra) => {
      const reference = { resultOf: "0", name: "n", path: `/${parts.join("/")}` };
      for (const given of [reference, extra]) {
        try {
          resolveReferences({ "#ids": given }, [["n", object, "0"]], { left: 10_000 });
        } catch (error) {
          expect(error).toBeInstanceOf(MethodError);
        }
      }
    }),
  );
});
