import { core, type Json, mail, type SetResult, submission } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests, type TestDefinition } from "../runner/define.ts";
import { equal, methodError, same, setError } from "../runner/expect.ts";
import { updateOne } from "./support.ts";

const group = { rfc: "rfc8620", section: "5.3", title: "/set: PatchObject", requires: [core, mail] };

async function keywordsAfter(t: TestContext, keywords: readonly string[], patch: Json): Promise<Json> {
  const { id } = await t.email({ keywords });
  await updateOne(t, "Email", id, patch);
  return (await t.find<{ keywords: Json }>("Email", id, ["keywords"])).keywords;
}

const applied: readonly [string, string, readonly string[], Json, Json][] = [
  [
    "add",
    "Anything else: the value to set for this property (this may be a replacement or addition to the object being patched).",
    ["a"],
    { "keywords/b": true },
    { a: true, b: true },
  ],
  [
    "remove",
    "If null, … remove the property from the patched object.",
    ["a", "b"],
    { "keywords/a": null },
    { b: true },
  ],
  [
    "remove-absent",
    "If the key is not present in the parent, this a no-op.",
    ["a"],
    { "keywords/z": null },
    { a: true },
  ],
  [
    "add-and-remove",
    "An unordered set of patches.",
    ["mozart"],
    { "keywords/chopin": true, "keywords/mozart": null },
    { chopin: true },
  ],
  ["replace-whole", "The value to set for this property.", ["a", "b"], { keywords: { c: true } }, { c: true }],
  [
    "null-to-default",
    "If null, set to the default value if specified for this property.",
    ["a"],
    { keywords: null },
    {},
  ],
  [
    "escaped-slash",
    "The keys are a path in JSON Pointer format (RFC 6901: ~1 is /).",
    [],
    { "keywords/a~1b": true },
    { "a/b": true },
  ],
  [
    "escaped-tilde",
    "The keys are a path in JSON Pointer format (RFC 6901: ~0 is ~).",
    [],
    { "keywords/a~0b": true, "keywords/~01": true },
    { "a~b": true, "~1": true },
  ],
];

const refused: readonly [string, string, (box: string) => Json][] = [
  [
    "missing-parent",
    "All parts prior to the last MUST already exist on the object being patched.",
    () => ({ "keywords/a/b": true }),
  ],
  [
    "unknown-parent",
    "All parts prior to the last MUST already exist on the object being patched.",
    () => ({ "noSuchProperty/a": true }),
  ],
  [
    "prefix",
    "There MUST NOT be two patches in the PatchObject where the pointer of one is the prefix of the pointer of the other.",
    () => ({ keywords: { a: true }, "keywords/b": true }),
  ],
  [
    "prefix-of-mailboxes",
    "There MUST NOT be two patches where the pointer of one is the prefix of the pointer of the other.",
    (box) => ({ [`mailboxIds/${box}`]: true, mailboxIds: { [box]: true } }),
  ],
  ["bad-escape", "The keys are a path in JSON Pointer format (~2 is none).", () => ({ "keywords/a~2b": true })],
];

const rules = defineTests(group, [
  ...applied.map(
    ([name, says, before, patch, after]): TestDefinition => ({
      id: `patch-${name}`,
      level: "MUST",
      says,
      run: async (t) => same(await keywordsAfter(t, before, patch), after, "keywords"),
    }),
  ),
  ...refused.map(
    ([name, says, patch]): TestDefinition => ({
      id: `invalid-patch-${name}`,
      level: "MUST",
      says: `${says} If there is any violation, the update MUST be rejected with an “invalidPatch” error.`,
      run: async (t) => {
        const { id } = await t.email({ keywords: ["kept"] });
        const answer = await t.set("Email", { update: { [id]: patch(await t.box()) } });
        setError(answer.notUpdated, id, "invalidPatch");
        same((await t.find("Email", id, ["keywords"])).keywords, { kept: true }, "keywords");
      },
    }),
  ),
  {
    id: "prefix-of-name-only",
    level: "MUST",
    says: "The pointer of one is the prefix of the pointer of the other (whole parts; “keywords/a” is no prefix of “keywords/ab”).",
    run: async (t) => {
      const patch = { "keywords/a": true, "keywords/ab": true };
      same(await keywordsAfter(t, [], patch), { a: true, ab: true }, "keywords");
    },
  },
  {
    id: "whole-object",
    level: "MUST",
    says: "This patch definition is designed such that an entire Foo object is also a valid PatchObject.",
    run: async (t) => {
      const id = await t.mailbox();
      const whole = await t.find("Mailbox", id);
      const name = t.unique("whole");
      await updateOne(t, "Mailbox", id, { ...whole, name });
      same(await t.find("Mailbox", id), { ...whole, name }, "the mailbox");
    },
  },
  {
    id: "null-to-default-number",
    level: "MUST",
    says: "If null, set to the default value if specified for this property (sortOrder: 0).",
    run: async (t) => {
      const id = await t.mailbox({ sortOrder: 8 });
      await updateOne(t, "Mailbox", id, { sortOrder: null });
      equal((await t.find("Mailbox", id)).sortOrder, 0, "sortOrder");
    },
  },
  {
    id: "patch-no-object",
    level: "MUST",
    says: "A *PatchObject* is of type “String[*]”.",
    run: async (t) => {
      const id = await t.mailbox();
      const [answer] = await t.call([["Mailbox/set", { accountId: t.accountId, update: { [id]: "patch" } }, "0"]]);
      const refusal = ["invalidArguments", "invalidPatch", "invalidProperties"];
      if (answer?.[0] === "error") methodError(answer, refusal);
      else setError(answer?.[1].notUpdated as SetResult["notUpdated"], id, refusal);
    },
  },
  {
    id: "empty-patch",
    level: "MUST",
    says: "A *PatchObject* represents an unordered set of patches (an empty one changes nothing).",
    run: async (t) => {
      const id = await t.mailbox({ sortOrder: 3 });
      const before = await t.find("Mailbox", id);
      await updateOne(t, "Mailbox", id, {});
      same(await t.find("Mailbox", id), before, "the mailbox");
    },
  },
]);

type Identity = { id: string; name: string; replyTo: Json[] | null };

const arrays = defineTests({ ...group, requires: [core, mail, submission] }, [
  {
    id: "invalid-patch-inside-array",
    level: "MUST",
    says: "The pointer MUST NOT reference inside an array (i.e., the array MUST be replaced in its entirety instead).",
    exclusive: true,
    run: async (t) => {
      const [identity] = await t.get<Identity>("Identity", null);
      const { id, replyTo } = identity ?? t.skip("the account has no identity");
      t.defer(() => t.set("Identity", { update: { [id]: { replyTo } } }));
      await updateOne(t, "Identity", id, { replyTo: [{ name: "A", email: "a@conformance.example" }] });
      for (const path of ["replyTo/0/name", "replyTo/0", "replyTo/-"]) {
        const answer = await t.set("Identity", { update: { [id]: { [path]: null } } });
        setError(answer.notUpdated, id, "invalidPatch");
      }
    },
  },
]);

export const patch = [...rules, ...arrays];
