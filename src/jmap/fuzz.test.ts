import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../test/support/jmap.ts";
import { createTestAccount, createTestStore } from "../../test/support/postgres.ts";
import { silentLog } from "../base/log.ts";
import { MethodError, SetError } from "./errors.ts";
import { methods } from "./methods.ts";
import { type Invocation, resolveReferences } from "./references.ts";
import { anything } from "./schema.ts";
import { applyPatch } from "./standard/patch.ts";

/** Values that parsers trip over, and ids that may exist. */
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
const argument = fc.constantFrom(
  ...["ids", "properties", "create", "update", "destroy", "ifInState", "sinceState", "maxChanges", "filter", "sort"],
  ...["position", "anchor", "anchorOffset", "limit", "calculateTotal", "sortAsTree", "filterAsTree", "sinceQueryState"],
  ...["upToId", "onDestroyRemoveEmails", "#ids", "#filter", "nonsense"],
);

let client: TestClient;
const failures: unknown[] = [];

beforeAll(async () => {
  const store = await createTestStore();
  const log = { ...silentLog, error: (fields: object) => void failures.push(fields) };
  client = new TestClient(methods, testServices(store, { log }), testLogin([await createTestAccount(store)]));
});

test("whatever the arguments are, a method answers or gives an error of the RFCs", { timeout: 120_000 }, async () => {
  const names = methods.map(({ name }) => name).filter((name) => /^(Core|Mailbox|Thread)\//.test(name));
  const call = fc.tuple(fc.constantFrom(...names), fc.dictionary(argument, value, { maxKeys: 4 }));
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 4 }), async (calls) => {
      const invocations = calls.map(([name, args], n): Invocation => {
        return [name, { ...args, ...(name !== "Core/echo" && { accountId: client.account }) }, `${n}`];
      });
      const { responses } = await client.request(invocations);
      expect(failures).toEqual([]);
      expect(responses.length).toBeGreaterThanOrEqual(calls.length);
      for (const [name, args] of responses) if (name === "error") expect(args.type).not.toBe("serverFail");
    }),
    { numRuns: 400 },
  );
});

test("whatever the records are, /set judges each", { timeout: 120_000 }, async () => {
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
      expect(failures).toEqual([]);
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
    { numRuns: 300 },
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
          resolveReferences({ "#ids": given }, [["n", object, "0"]], { left: 1_000_000 });
        } catch (error) {
          expect(error).toBeInstanceOf(MethodError);
        }
      }
    }),
  );
});
