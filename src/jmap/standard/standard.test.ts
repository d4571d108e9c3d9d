import { beforeAll, beforeEach, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { decodeId, encodeId } from "../../base/ids.ts";
import { Kind } from "../../store/core/change.ts";
import { unprepared } from "../../store/core/sql.ts";
import type { Store, Tx } from "../../store/core/store.ts";
import { defaultLimits, type Method } from "../method.ts";
import { bool, exactly, id, map, nullable, text, textUpTo, unsignedInt } from "../schema.ts";
import { changesMethod } from "./changes.ts";
import { copyMethod } from "./copy.ts";
import { getMethod } from "./get.ts";
import { setMethod } from "./set.ts";
import type { CopyHooks, DataType, JmapObject, SetHooks } from "./type.ts";

/** A type with a table of its own and no `check`: only the database guards its unique name. */
const writeToys = unprepared(`
  INSERT INTO toy (user_id, id, name, rest)
  SELECT a.user_id, x.id, x.name, x.rest FROM account a, json_to_recordset($2::json) AS x (id bigint, name text, rest json)
  WHERE a.user_id = $1`);
const updateToys = unprepared(`
  UPDATE toy t SET name = x.name, rest = x.rest FROM json_to_recordset($2::json) AS x (id bigint, name text, rest json)
  WHERE t.user_id = $1 AND t.id = x.id`);
const deleteToys = unprepared("DELETE FROM toy WHERE user_id = $1 AND id = ANY($2)");
const selectToys = unprepared<{ id: number; name: string; rest: JmapObject }>(
  "SELECT id, name, rest FROM toy WHERE user_id = $1 AND ($2::bigint[] IS NULL OR id = ANY($2)) LIMIT $3",
);

const toRow = (record: { id: number; after: JmapObject }) => {
  const { name, ...rest } = record.after;
  return { id: record.id, name, rest };
};
let writes: string[] = [];

function log(tx: Tx, what: keyof typeof Kind, records: { id: number }[]): void {
  writes.push(`${what} ${records.length}`);
  for (const record of records) tx.changed({ type: "Quota", id: record.id, kind: Kind[what] });
}

const toy: DataType & { set: SetHooks; copy: CopyHooks } = {
  name: "Quota",
  capability: "urn:ietf:params:jmap:core",
  prefix: "x",
  properties: {
    name: { schema: textUpTo(10) },
    friendId: { schema: nullable(id), default: null, references: "value" },
    groupIds: { schema: map(id, exactly(true)), default: {}, references: "keys" },
    tags: { schema: map(text, exactly(true)), default: {}, isSet: true },
    kind: { schema: text, default: "plain", immutable: true },
    size: { schema: unsignedInt, serverSet: true },
    secret: { schema: bool, default: false, onRequest: true },
  },
  async fetch(ids, { limit }, { reader }) {
    const rows = await reader.run(selectToys, [reader.accountId, ids, limit]);
    return rows.map((row) => ({ ...row.rest, id: encodeId("x", row.id), name: row.name, size: row.name.length }));
  },
  set: {
    needs: ["name", "friendId", "groupIds", "tags", "kind", "secret"],
    conflicts: { toy_name: ["name"] },
    async create(records, _batch, { tx }) {
      log(tx, "created", records);
      await tx.run(writeToys, [tx.accountId, JSON.stringify(records.map(toRow))]);
      for (const record of records) record.response.size = (record.after.name as string).length;
    },
    async update(records, _batch, { tx }) {
      log(tx, "properties", records);
      await tx.run(updateToys, [tx.accountId, JSON.stringify(records.map(toRow))]);
      for (const record of records) {
        if (record.changed.has("name")) record.response.size = (record.after.name as string).length;
      }
    },
    async destroy(records, _batch, { tx }) {
      log(tx, "destroyed", records);
      await tx.run(deleteToys, [tx.accountId, records.map((record) => record.id)]);
    },
  },
  copy: {
    overrides: ["name"],
    async read(ids, { reader }) {
      const rows = await reader.run(selectToys, [reader.accountId, ids, ids.length]);
      return new Map(rows.map((row) => [row.id, row]));
    },
    async create(records, { tx }) {
      const rows = records.map((record) => ({ ...(record.original as object), ...record.overrides, id: record.id }));
      await tx.run(writeToys, [tx.accountId, JSON.stringify(rows)]);
      log(tx, "created", records);
    },
  },
};
const methods: Method[] = [getMethod(toy), changesMethod(toy), setMethod(toy), copyMethod(toy)];

let store: Store;
let client: TestClient;
let others: string;

beforeAll(async () => {
  store = await createTestStore();
  await store.database.run(
    unprepared(`CREATE TABLE toy (user_id bigint, id bigint, name text, rest json, PRIMARY KEY (user_id, id),
      CONSTRAINT toy_name UNIQUE (user_id, name) DEFERRABLE INITIALLY IMMEDIATE)`),
  );
});
beforeEach(async () => {
  const accounts = [await createTestAccount(store), await createTestAccount(store)];
  client = new TestClient(methods, testServices(store), testLogin(accounts));
  others = encodeId("u", accounts[1]!);
  writes = [];
});

const set = (args: object) => client.call("Quota/set", args as JmapObject);
async function create(records: Record<string, object>): Promise<Record<string, string>> {
  const { created } = await set({ create: records });
  return Object.fromEntries(
    Object.entries(created as JmapObject).map(([key, object]) => [key, (object as { id: string }).id]),
  );
}
async function get(args: object = {}): Promise<JmapObject[]> {
  return (await client.call("Quota/get", args as JmapObject)).list as JmapObject[];
}

test("a record with thousands of faults is refused like any other", async () => {
  const create = { k: Object.fromEntries(Array.from({ length: 200_000 }, (_, n) => [`no${n}`, 1])) };
  const groupIds = Object.fromEntries(Array.from({ length: 200_000 }, (_, n) => [`g${n}`, false]));
  const { notCreated } = await set({ create: { ...create, l: { name: "l", groupIds } } });
  expect(notCreated).toMatchObject({ k: { type: "invalidProperties" }, l: { type: "invalidProperties" } });
});

test("creates return the id, server-set properties and defaults", async () => {
  const { created } = await set({ create: { k: { name: "ball", tags: { a: true } } } });
  expect(created).toEqual({
    k: { id: expect.any(String), friendId: null, groupIds: {}, kind: "plain", secret: false, size: 4 },
  });
  expect(writes).toEqual(["created 1"]);
  const [object] = await get();
  expect(object).toMatchObject({ name: "ball", tags: { a: true }, size: 4 });
  expect(object).not.toHaveProperty("secret");
  expect(await get({ properties: ["secret"] })).toEqual([{ id: object!.id, secret: false }]);
});

test("many records take one statement of each kind", async () => {
  const ids = await create({ a: { name: "a" }, b: { name: "b" }, c: { name: "c" } });
  writes = [];
  await set({
    create: { d: { name: "d" }, e: { name: "e" } },
    update: { [ids.a!]: { name: "b" }, [ids.b!]: { name: "a" } },
    destroy: [ids.c],
  });
  expect(writes).toEqual(["destroyed 1", "properties 2", "created 2"]);
  expect((await get()).map(({ name }) => name).sort()).toEqual(["a", "b", "d", "e"]);
});

test("a conflict found by the database refuses only its own record", async () => {
  const ids = await create({ a: { name: "a" }, b: { name: "b" } });
  const response = await set({
    create: { x: { name: "x" }, dup: { name: "b" }, tail: { name: "t", friendId: "#dup" } },
    update: { [ids.a!]: { name: "z" } },
  });
  expect(response).toMatchObject({
    created: { x: {} },
    updated: { [ids.a!]: { size: 1 } },
    notCreated: {
      dup: { type: "invalidProperties", properties: ["name"] },
      tail: { type: "invalidProperties", properties: ["friendId"] },
    },
  });
  const changes = await client.call("Quota/changes", { sinceState: response.oldState });
  expect((changes.created as string[]).length + (changes.updated as string[]).length).toBe(2);
});

test("references are resolved in any order, in patches, as keys, and to earlier calls", async () => {
  const ids = await create({ one: { name: "one" } });
  const response = await set({
    create: { b: { name: "b", friendId: "#a", groupIds: { "#a": true } }, a: { name: "a" } },
    update: { [ids.one!]: { friendId: "#b", "groupIds/#a": true } },
  });
  const made = response.created as Record<string, { id: string }>;
  const byName = new Map((await get()).map((object) => [object.name, object]));
  expect(byName.get("b")).toMatchObject({ friendId: made.a!.id, groupIds: { [made.a!.id]: true } });
  expect(byName.get("one")).toMatchObject({ friendId: made.b!.id, groupIds: { [made.a!.id]: true } });
  const { responses, createdIds } = await client.request(
    [
      ["Quota/set", { accountId: client.account, create: { n: { name: "n", friendId: "#given" } } }, "0"],
      ["Quota/set", { accountId: client.account, update: { "#n": { name: "m" } } }, "1"],
      ["Quota/get", { accountId: client.account, ids: ["#n", "#none"] }, "2"],
      ["Quota/set", { accountId: client.account, destroy: ["#n"] }, "3"],
    ],
    { given: ids.one! },
  );
  expect(responses.map(([name]) => name)).toEqual(["Quota/set", "Quota/set", "Quota/get", "Quota/set"]);
  expect(responses[1]![1]).toMatchObject({ updated: { [createdIds.n!]: { size: 1 } } });
  expect(responses[2]![1]).toMatchObject({ list: [{ name: "m", friendId: ids.one }], notFound: ["#none"] });
  expect(responses[3]![1]).toMatchObject({ destroyed: [createdIds.n] });
});

test("records that refer to a failed create fail too", async () => {
  const ids = await create({ one: { name: "one" } });
  const response = await set({
    create: {
      bad: { name: "much too long a name" },
      mid: { name: "m", friendId: "#bad" },
      end: { name: "e", friendId: "#mid" },
    },
    update: { [ids.one!]: { friendId: "#end" } },
  });
  expect(response).toMatchObject({
    created: null,
    updated: null,
    notCreated: { bad: { properties: ["name"] }, mid: { properties: ["friendId"] }, end: { properties: ["friendId"] } },
    notUpdated: { [ids.one!]: { properties: ["friendId"] } },
  });
  expect(response.newState).toBe(response.oldState);
});

test("patches refuse immutable and server-set changes, accept no-ops, and treat false in a set as removal", async () => {
  const { a } = await create({ a: { name: "a", tags: { x: true } } });
  const error = async (patch: object) =>
    ((await set({ update: { [a!]: patch } })).notUpdated as JmapObject | null)?.[a!];
  expect(await error({ kind: "other" })).toMatchObject({ type: "invalidProperties", properties: ["kind"] });
  expect(await error({ size: 5, colour: 1, name: 3 })).toMatchObject({
    properties: expect.arrayContaining(["size", "colour", "name"]),
  });
  expect(await error({ "name/x": 1 })).toMatchObject({ type: "invalidPatch" });
  expect(await error({ "tags/x": 1 })).toMatchObject({ type: "invalidProperties", properties: ["tags"] });
  writes = [];
  expect(await set({ update: { [a!]: { kind: "plain", size: 1, "tags/y": null, "tags/x": true } } })).toMatchObject({
    updated: { [a!]: null },
  });
  expect(writes).toEqual([]);
  await set({ update: { [a!]: { "tags/x": false, "tags/z": true } } });
  expect(await get({ properties: ["tags"] })).toEqual([{ id: a, tags: { z: true } }]);
  await set({ update: { [a!]: { tags: null } } });
  expect(await get({ properties: ["tags"] })).toEqual([{ id: a, tags: {} }]);
});

test("a get and a set refuse too many objects", async () => {
  const small = { ...defaultLimits, maxObjectsInGet: 2, maxObjectsInSet: 2 };
  const strict = new TestClient(methods, testServices(store, { limits: small }), client.login);
  await create({ a: { name: "a" }, b: { name: "b" }, c: { name: "c" } });
  expect(await strict.call("Quota/get")).toMatchObject({ type: "requestTooLarge" });
  expect(await strict.call("Quota/get", { ids: ["x1", "x2", "x3"] })).toMatchObject({ type: "requestTooLarge" });
  // RFC 8620 §5.1 counts the ids, not what they name.
  expect(await strict.call("Quota/get", { ids: ["x1", "x2", "x2"] })).toMatchObject({ type: "requestTooLarge" });
  const three = { create: { a: {} }, update: { x1: {} }, destroy: ["x2"] };
  expect(await strict.call("Quota/set", three)).toMatchObject({ type: "requestTooLarge" });
});

test("/changes pages inside one huge change, and never misses a later change", async () => {
  const { state } = await client.call("Quota/get");
  const names = Array.from({ length: 25 }, (_, n) => `n${n}`);
  const ids = await create(Object.fromEntries(names.map((name) => [name, { name }])));
  const first = await client.call("Quota/changes", { sinceState: state, maxChanges: 7 });
  expect(first.newState).toMatch(/^\d+-\d+-\d+$/);
  await set({ update: { [ids.n0!]: { name: "m0" }, [ids.n20!]: { name: "m20" } }, destroy: [ids.n24, ids.n1] });
  const seen = new Map<string, string>((first.created as string[]).map((id) => [id, "created"]));
  for (let page = first; page.hasMoreChanges; ) {
    page = await client.call("Quota/changes", { sinceState: page.newState, maxChanges: 7 });
    const { created, updated, destroyed } = page as Record<string, string[]>;
    expect(created!.length + updated!.length + destroyed!.length).toBeLessThanOrEqual(7);
    for (const id of created!) seen.set(id, "created");
    for (const id of updated!) expect(seen.get(id)).toBe("created");
    for (const id of destroyed!) seen.delete(id);
  }
  expect([...seen.keys()].sort()).toEqual((await get()).map((object) => object.id as string).sort());
});

test("concurrent sets each get a state of their own", async () => {
  const states = await Promise.all(
    Array.from({ length: 12 }, async (_, n) => (await set({ create: { k: { name: `c${n}` } } })).newState),
  );
  expect(new Set(states).size).toBe(12);
  expect(await get()).toHaveLength(12);
});

test("/copy writes to another account and destroys the original by an implicit call", async () => {
  const ids = await create({ a: { name: "a" }, b: { name: "b" } });
  const target = { accountId: others, fromAccountId: client.account };
  const { responses, createdIds } = await client.request([
    [
      "Quota/copy",
      {
        ...target,
        create: {
          c1: { id: ids.a, name: "copy" },
          c2: { id: "x999" },
          c3: { id: ids.b, size: 3 },
          c4: { id: ids.b, name: 5 },
        },
        onSuccessDestroyOriginal: true,
      },
      "c",
    ],
  ]);
  expect(responses.map(([name, , callId]) => [name, callId])).toEqual([
    ["Quota/copy", "c"],
    ["Quota/set", "c"],
  ]);
  expect(responses[0]![1]).toMatchObject({
    ...target,
    created: { c1: { id: createdIds.c1 } },
    notCreated: { c2: { type: "notFound" }, c3: { properties: ["size"] }, c4: { properties: ["name"] } },
  });
  expect(responses[1]![1]).toMatchObject({ accountId: client.account, destroyed: [ids.a] });
  expect(await get({ accountId: others })).toMatchObject([{ id: createdIds.c1, name: "copy" }]);
  expect((await get()).map(({ name }) => name)).toEqual(["b"]);
});

test("/copy checks the accounts and states", async () => {
  const ids = await create({ a: { name: "a" } });
  const copy = (args: object) =>
    client.call("Quota/copy", {
      accountId: others,
      fromAccountId: client.account,
      create: { c: { id: ids.a } },
      ...args,
    });
  expect(await copy({ accountId: client.account })).toMatchObject({ type: "invalidArguments" });
  expect(await copy({ fromAccountId: "u999" })).toMatchObject({ type: "fromAccountNotFound" });
  expect(await copy({ ifFromInState: "1-0" })).toMatchObject({ type: "stateMismatch" });
  expect(await copy({ ifInState: "1-99" })).toMatchObject({ type: "stateMismatch" });
  for (const name of ["ifInState", "ifFromInState"]) {
    expect(await copy({ [name]: "" })).toMatchObject({ type: "stateMismatch" });
  }
  expect(await copy({ onSuccessDestroyOriginal: false })).toMatchObject({ created: { c: { id: expect.any(String) } } });
  expect(decodeId("x", ids.a!)).toBeDefined();
});
