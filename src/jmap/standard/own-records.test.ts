import { describe, expect, test } from "vitest";
import { createFuzzHost } from "../../../test/support/fuzz-world.ts";

/** RFC 8620 §5.3: what a /set does to records that it creates itself. */
type Json = Record<string, unknown>;
type Made = Record<string, { id: string }>;

const { failures, world: newWorld } = await createFuzzHost();
const world = await newWorld();
const { client, account } = world;

const types: Record<string, { create: () => Promise<Json>; patch: Json }> = {
  Mailbox: { create: async () => ({ name: `box ${Math.random()}` }), patch: { sortOrder: 7 } },
  Email: {
    create: async () => ({ mailboxIds: { [world.inbox]: true }, subject: "one", keywords: { $draft: true } }),
    patch: { "keywords/$seen": true },
  },
  Identity: { create: async () => ({ name: "Me", email: world.address }), patch: { textSignature: "bye" } },
  EmailSubmission: {
    create: async () => ({ identityId: world.identity, emailId: await world.newDraft() }),
    patch: { undoStatus: "canceled" },
  },
  PushSubscription: {
    create: async () => ({ deviceClientId: "d", url: "https://push.invalid/b" }),
    patch: { types: ["Email"] },
  },
};

const addressed = (name: string): Json => (name === "PushSubscription" ? {} : { accountId: account });

async function call(name: string, method: string, args: Json): Promise<Json> {
  const { responses } = await client.request([[`${name}/${method}`, { ...addressed(name), ...args }, "c"]]);
  expect(responses[0]![0]).toBe(`${name}/${method}`);
  return responses[0]![1];
}

describe.each(Object.keys(types))("%s/set", (name) => {
  const { create, patch } = types[name]!;

  test("destroys a record that it creates", async () => {
    const answer = await call(name, "set", { create: { a: await create(), b: await create() }, destroy: ["#a"] });
    const made = answer.created as Made;
    expect(answer).toMatchObject({ destroyed: [made.a!.id], notCreated: null, notDestroyed: null });
    const { list, notFound } = await call(name, "get", { ids: [made.a!.id, made.b!.id] });
    expect(list).toMatchObject([{ id: made.b!.id }]);
    expect(notFound).toEqual([made.a!.id]);
    if (name !== "PushSubscription") {
      const changes = await call(name, "changes", { sinceState: answer.oldState });
      expect(changes).toMatchObject({ created: [made.b!.id], destroyed: [] });
    }
    await call(name, "set", { destroy: [made.b!.id] });
  });

  test("updates a record that it creates, and destroys one that it updates", async () => {
    const answer = await call(name, "set", {
      create: { a: await create(), b: await create() },
      update: { "#a": patch, "#b": patch },
      destroy: ["#b"],
    });
    const made = answer.created as Made;
    expect(answer).toMatchObject({ updated: { [made.a!.id]: null }, destroyed: [made.b!.id] });
    const { list } = await call(name, "get", { ids: [made.a!.id] });
    const [path, value] = Object.entries(patch)[0]!;
    const [property, key] = path.split("/") as [string, string?];
    expect((list as Json[])[0]![property]).toEqual(key ? expect.objectContaining({ [key]: value }) : value);
    await call(name, "set", { destroy: [made.a!.id] });
  });

  test("a record that was not created is not found, even if an earlier call created one of that name", async () => {
    const { responses } = await client.request([
      [`${name}/set`, { ...addressed(name), create: { a: await create() } }, "0"],
      [`${name}/set`, { ...addressed(name), create: { a: { no: 1 } }, update: { "#a": patch }, destroy: ["#a"] }, "1"],
      [`${name}/get`, { ...addressed(name), ids: ["#a"] }, "2"],
    ]);
    expect(responses[1]![1]).toMatchObject({
      created: null,
      notCreated: { a: { type: "invalidProperties" } },
      notUpdated: { "#a": { type: "notFound" } },
      notDestroyed: { "#a": { type: "notFound" } },
    });
    expect(responses[2]![1].list).toHaveLength(1);
    await call(name, "set", { destroy: [(responses[0]![1].created as Made).a!.id] });
  });
});

test("a creation id names the newest record of that name", async () => {
  const set = (name: string, more: Json = {}): Json => ({ accountId: account, create: { a: { name } }, ...more });
  const { responses } = await client.request([
    ["Mailbox/set", set("earlier"), "0"],
    ["Mailbox/set", set("later", { destroy: ["#a"] }), "1"],
    ["Mailbox/set", { accountId: account, destroy: ["#a"] }, "2"],
  ]);
  const [earlier, later] = responses.map(([, { created }]) => (created as Made | null)?.a?.id);
  expect(responses[1]![1]).toMatchObject({ destroyed: [later] });
  expect(responses[2]![1].notDestroyed).toMatchObject({ [later!]: { type: "notFound" } });
  expect(await client.call("Mailbox/set", { destroy: [earlier] })).toMatchObject({ destroyed: [earlier] });
});

test("a mailbox with a child of the same call stays, unless the child is destroyed too", async () => {
  const create = { p: { name: "p" }, c: { name: "c", parentId: "#p" } };
  const kept = await client.call("Mailbox/set", { create, destroy: ["#p"] });
  const made = kept.created as Made;
  expect(kept).toMatchObject({ destroyed: null, notDestroyed: { [made.p!.id]: { type: "mailboxHasChild" } } });
  await client.call("Mailbox/set", { destroy: [made.c!.id, made.p!.id] });
  const gone = await client.call("Mailbox/set", { create, destroy: ["#p", "#c"] });
  expect(gone.destroyed).toHaveLength(2);
  const moved = await client.call("Mailbox/set", {
    create,
    update: { "#c": { parentId: null }, "#p": { parentId: "#c" } },
  });
  const { list } = await client.call("Mailbox/get", { ids: [(moved.created as Made).p!.id] });
  expect(list).toMatchObject([{ parentId: (moved.created as Made).c!.id }]);
});

test("a submission's implicit calls run even if it is destroyed at once", async () => {
  const email = await world.newDraft();
  const { responses } = await client.request([
    [
      "EmailSubmission/set",
      {
        accountId: account,
        create: { s: { identityId: world.identity, emailId: email } },
        destroy: ["#s"],
        onSuccessUpdateEmail: { "#s": { "keywords/$seen": true } },
      },
      "0",
    ],
  ]);
  expect(responses[0]![1]).toMatchObject({ destroyed: [expect.any(String)] });
  expect(responses[1]).toMatchObject(["Email/set", { updated: { [email]: null } }, "0"]);
});

test("the store is consistent after all of these tests", async () => {
  expect(await world.findings()).toEqual([]);
  expect(failures).toEqual([]);
});
