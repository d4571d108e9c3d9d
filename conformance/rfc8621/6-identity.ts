import { type ChangesResult, core, type GetResult, type Json, submission } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { equal, includes, isId, isString, matches, ok, same, setError, show } from "../runner/expect.ts";
import { nowhere, update } from "./support.ts";

type Identity = Json & { id: string; name: string; email: string; mayDelete: boolean };
const group = (section: string, title: string) => ({ rfc: "rfc8621", section, title, requires: [core, submission] });

/** Makes an identity with the address of one that is there; skips when the server lets nobody make any. */
async function makeIdentity(t: TestContext, properties: Json = {}): Promise<Identity> {
  const [first] = (await t.get<Identity>("Identity", null)).filter(({ email }) => !email.startsWith("*"));
  if (!first) return t.skip("the account has no identity");
  const full = { name: t.unique("Name"), email: first.email, ...properties };
  const answer = await t.set<Identity>("Identity", { create: { k: full } });
  if (!answer.created?.k) {
    if (answer.notCreated?.k?.type === "forbidden") t.skip("no identity may be made");
    ok(false, `the identity was not created: ${show(answer.notCreated)}`);
  }
  t.destroyLater("Identity", answer.created?.k?.id as string);
  return await t.find<Identity>("Identity", answer.created?.k?.id as string);
}

const addresses = [
  { name: "Ann", email: "ann@conformance.example" },
  { name: null, email: "b@conformance.example" },
];

const properties = defineTests(group("6", "Identities"), [
  {
    id: "properties",
    level: "MUST",
    says: "An Identity object has the following properties: id, name, email, replyTo, bcc, textSignature, htmlSignature, mayDelete.",
    run: async (t) => {
      for (const identity of await t.get<Identity>("Identity", null)) {
        isId(identity.id, "id");
        for (const name of ["name", "email", "textSignature", "htmlSignature"]) isString(identity[name], name);
        for (const name of ["replyTo", "bcc"])
          ok(identity[name] === null || Array.isArray(identity[name]), `${name} is ${show(identity[name])}`);
        equal(typeof identity.mayDelete, "boolean", "type of mayDelete");
        ok(identity.email.includes("@"), `email is ${identity.email}`);
      }
    },
  },
  {
    id: "defaults",
    level: "MUST",
    says: 'name: (default: ""); replyTo, bcc: (default: null); textSignature, htmlSignature: (default: "").',
    run: async (t) => {
      const { email } = await makeIdentity(t);
      const { created, notCreated } = await t.set<Identity>("Identity", { create: { k: { email } } });
      ok(created?.k, `not created: ${show(notCreated)}`);
      t.destroyLater("Identity", created.k.id);
      const defaults = { name: "", replyTo: null, bcc: null, textSignature: "", htmlSignature: "" };
      matches(await t.find("Identity", created.k.id), { ...defaults, email }, "Identity");
    },
  },
  {
    id: "same-address-twice",
    level: "MAY",
    says: "Multiple identities with the same email address MAY exist, to allow for different settings the user wants to pick between.",
    run: async (t) => {
      const [a, b] = [await makeIdentity(t, { textSignature: "one" }), await makeIdentity(t, { textSignature: "two" })];
      ok(a.id !== b.id, "both have the same id");
    },
  },
]);

const methods = [
  ...defineTests(group("6.1", "Identity/get"), [
    {
      id: "get",
      level: "MUST",
      says: 'This is a standard "/get" method. The "ids" argument may be null to fetch all at once.',
      run: async (t) => {
        const { id, name } = await makeIdentity(t);
        const all = await t.one<GetResult>("Identity/get", { ids: null });
        includes(
          all.list.map((one) => one.id),
          id,
          "ids of all",
        );
        isString(all.state, "state");
        same(await t.find("Identity", id, ["name"]), { id, name }, "Identity");
        const { list, notFound } = await t.one<GetResult>("Identity/get", { ids: [nowhere] });
        same([list, notFound], [[], [nowhere]], "list and notFound");
      },
    },
    {
      id: "get-omitted-ids",
      level: "MUST",
      says: '(Example) [ "Identity/get", { "accountId": "acme" }, "0" ]',
      run: async (t) => same((await t.one<GetResult>("Identity/get", {})).notFound, [], "notFound"),
    },
  ]),
  ...defineTests(group("6.2", "Identity/changes"), [
    {
      id: "changes",
      level: "MUST",
      says: 'This is a standard "/changes" method.',
      run: async (t) => {
        const kept = await makeIdentity(t);
        const gone = await makeIdentity(t);
        const sinceState = await t.state("Identity");
        const made = await makeIdentity(t);
        await update(t, "Identity", kept.id, { name: "changed" });
        await t.set("Identity", { destroy: [gone.id] });
        const answer = await t.one<ChangesResult>("Identity/changes", { sinceState });
        includes(answer.created, made.id, "created");
        includes(answer.updated, kept.id, "updated");
        includes(answer.destroyed, gone.id, "destroyed");
      },
    },
  ]),
];

const sets = defineTests(group("6.3", "Identity/set"), [
  {
    id: "create",
    level: "MUST",
    says: 'This is a standard "/set" method.',
    run: async (t) => {
      const set = {
        name: "Żółw, Ann",
        replyTo: addresses,
        bcc: addresses.slice(1),
        textSignature: "-- \nAnn",
        htmlSignature: "<p>Ann</p>",
      };
      matches(await makeIdentity(t, set), set, "Identity");
    },
  },
  {
    id: "created-server-set",
    level: "MUST",
    says: 'mayDelete: "Boolean" (server-set). (created holds what the client did not send.)',
    run: async (t) => {
      const { email } = await makeIdentity(t);
      const { created } = await t.set<Identity>("Identity", { create: { k: { email, name: "a" } } });
      ok(created?.k, "not created");
      t.destroyLater("Identity", created.k.id);
      equal(typeof created.k.mayDelete, "boolean", "type of mayDelete");
    },
  },
  {
    id: "update",
    level: "MUST",
    says: 'This is a standard "/set" method.',
    run: async (t) => {
      const { id } = await makeIdentity(t);
      const set = { name: "New", replyTo: addresses, bcc: null, textSignature: "t", htmlSignature: "<b>h</b>" };
      await update(t, "Identity", id, set);
      matches(await t.find("Identity", id), set, "Identity");
      await update(t, "Identity", id, { replyTo: null });
      equal((await t.find("Identity", id)).replyTo, null, "replyTo");
    },
  },
  {
    id: "destroy",
    level: "MUST",
    says: "mayDelete: Is the user allowed to delete this Identity?",
    run: async (t) => {
      const { id, mayDelete } = await makeIdentity(t);
      if (!mayDelete) t.skip("the identity may not be deleted");
      same((await t.set("Identity", { destroy: [id] })).destroyed, [id], "destroyed");
      same(await t.get("Identity", [id]), [], "Identity");
    },
  },
  {
    id: "destroy-forbidden",
    level: "MUST",
    says: 'Attempts to destroy an Identity with "mayDelete: false" will be rejected with a standard "forbidden" SetError.',
    run: async (t) => {
      const fixed = (await t.get<Identity>("Identity", null)).find(({ mayDelete }) => !mayDelete);
      if (!fixed) return t.skip("every identity may be deleted");
      setError((await t.set("Identity", { destroy: [fixed.id] })).notDestroyed, fixed.id, "forbidden");
    },
  },
  {
    id: "email-immutable",
    level: "MUST",
    says: 'email: "String" (immutable)',
    run: async (t) => {
      const { id } = await makeIdentity(t);
      const patch = { email: "other@conformance.example" };
      setError((await t.set("Identity", { update: { [id]: patch } })).notUpdated, id, "invalidProperties");
    },
  },
  {
    id: "may-delete-server-set",
    level: "MUST",
    says: 'mayDelete: "Boolean" (server-set)',
    run: async (t) => {
      const { id, mayDelete } = await makeIdentity(t);
      const patch = { mayDelete: !mayDelete };
      setError((await t.set("Identity", { update: { [id]: patch } })).notUpdated, id, "invalidProperties");
    },
  },
  {
    id: "forbidden-from",
    level: "MUST",
    says: '"forbiddenFrom": The user is not allowed to send from the address given as the "email" property of the Identity.',
    run: async (t) => {
      const create = { k: { name: "Not mine", email: "somebody@not-ours.conformance.example" } };
      const answer = await t.set<Identity>("Identity", { create });
      if (answer.created?.k) t.destroyLater("Identity", answer.created.k.id);
      setError(answer.notCreated, "k", ["forbiddenFrom", "forbidden"]);
    },
  },
  {
    id: "forbidden-from-domain",
    level: "MUST",
    says: "If the user attempts to create a new Identity object, the server MUST reject it with the appropriate error if the user does not have permission to use that email address to send from.",
    run: async (t) => {
      const create = { k: { name: "All of them", email: "*@not-ours.conformance.example" } };
      const answer = await t.set<Identity>("Identity", { create });
      if (answer.created?.k) t.destroyLater("Identity", answer.created.k.id);
      setError(answer.notCreated, "k", ["forbiddenFrom", "forbidden", "invalidProperties"]);
    },
  },
  ...(
    [
      ["email-missing", { email: undefined }],
      ["email-type", { email: 5 }],
      ["reply-to-type", { replyTo: "a@b.example" }],
      ["bcc-type", { bcc: [{ name: "no email" }] }],
      ["signature-type", { textSignature: 5 }],
      ["unknown-property", { colour: "red" }],
    ] as [string, Json][]
  ).map(([name, more]) => ({
    id: `refused-${name}`,
    level: "MUST" as const,
    says: 'This is a standard "/set" method: invalidProperties.',
    run: async (t: TestContext) => {
      const { email } = await makeIdentity(t);
      const answer = await t.set<Identity>("Identity", { create: { k: { name: "x", email, ...more } } });
      if (answer.created?.k) t.destroyLater("Identity", answer.created.k.id);
      setError(answer.notCreated, "k", "invalidProperties");
    },
  })),
  {
    id: "not-found",
    level: "MUST",
    says: 'This is a standard "/set" method: notFound.',
    run: async (t) => {
      const answer = await t.set("Identity", { update: { [nowhere]: { name: "x" } }, destroy: [`${nowhere}2`] });
      setError(answer.notUpdated, nowhere, "notFound");
      setError(answer.notDestroyed, `${nowhere}2`, "notFound");
    },
  },
  {
    id: "state-mismatch",
    level: "MUST",
    says: "ifInState is never ignored. A mismatch fails the whole call with stateMismatch.",
    run: (t) => t.error("Identity/set", { ifInState: "no-such-state", update: {} }, "stateMismatch"),
  },
]);

export const identity = [...properties, ...methods, ...sets];
