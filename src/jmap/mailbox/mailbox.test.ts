import { beforeAll, beforeEach, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import type { Store } from "../../store/core/store.ts";
import { methods } from "../methods.ts";

type Mailbox = Record<string, unknown> & { id: string; name: string };
let store: Store;
let client: TestClient;

beforeAll(async () => {
  store = await createTestStore();
});
beforeEach(async () => {
  client = new TestClient(methods, testServices(store), testLogin([await createTestAccount(store)]));
});

async function all(): Promise<Mailbox[]> {
  return (await client.call("Mailbox/get")).list as Mailbox[];
}

async function create(...mailboxes: object[]): Promise<string[]> {
  const args = { create: Object.fromEntries(mailboxes.map((mailbox, index) => [`k${index}`, mailbox])) };
  const { created } = await client.call("Mailbox/set", args);
  return mailboxes.map((_, index) => (created as Record<string, Mailbox>)[`k${index}`]!.id);
}

test("a new account has its six mailboxes", async () => {
  const response = await client.call("Mailbox/get", { ids: null });
  expect((response.list as Mailbox[]).map(({ role, name, sortOrder }) => [role, name, sortOrder])).toEqual([
    ["inbox", "Inbox", 1],
    ["drafts", "Drafts", 2],
    ["sent", "Sent", 3],
    ["archive", "Archive", 4],
    ["junk", "Junk", 5],
    ["trash", "Trash", 6],
  ]);
  expect((response.list as Mailbox[])[0]).toMatchObject({
    parentId: null,
    isSubscribed: true,
    totalEmails: 0,
    unreadThreads: 0,
    myRights: { mayReadItems: true, mayDelete: false, maySubmit: true },
  });
  expect(response.notFound).toEqual([]);
});

test("/get returns the ids and properties asked for, each once, and lists unknown ids", async () => {
  const [inbox] = await all();
  const response = await client.call("Mailbox/get", {
    ids: [inbox!.id, "nope", inbox!.id, "m0"],
    properties: ["name"],
  });
  expect(response.list).toEqual([{ id: inbox!.id, name: "Inbox" }]);
  expect(response.notFound).toEqual(["nope", "m0"]);
  expect(await client.call("Mailbox/get", { properties: ["colour"] })).toMatchObject({ type: "invalidArguments" });
  expect(await client.call("Mailbox/get", { ids: [] })).toMatchObject({ list: [], notFound: [] });
  expect(await client.call("Mailbox/get", { ids: ["bad id"] })).toMatchObject({ type: "invalidArguments" });
  expect(await client.call("Mailbox/get", { colour: 1 })).toMatchObject({ type: "invalidArguments" });
});

test("/set: creation ids name parents in any order; cycles are refused", async () => {
  const response = await client.call("Mailbox/set", {
    create: {
      grandchild: { name: "c", parentId: "#child" },
      child: { name: "b", parentId: "#top" },
      top: { name: "a" },
      left: { name: "l", parentId: "#right" },
      right: { name: "r", parentId: "#left" },
      orphan: { name: "o", parentId: "#nothing" },
    },
  });
  const created = response.created as Record<string, Mailbox>;
  expect(Object.keys(created).sort()).toEqual(["child", "grandchild", "top"]);
  expect(created.top).toMatchObject({ parentId: null, role: null, sortOrder: 0, isSubscribed: true, totalEmails: 0 });
  expect(created.top).not.toHaveProperty("name");
  expect(response.notCreated).toMatchObject({
    left: { type: "invalidProperties", properties: ["parentId"] },
    right: { type: "invalidProperties", properties: ["parentId"] },
    orphan: { type: "invalidProperties", properties: ["parentId"] },
  });
  const found = await all();
  expect(found.find(({ name }) => name === "c")!.parentId).toBe(created.child!.id);
  expect(response.newState).not.toBe(response.oldState);
});

test("/set: two names can be swapped; a true duplicate is refused alone", async () => {
  const [a, b, c] = await create({ name: "a" }, { name: "b" }, { name: "c" });
  const swapped = await client.call("Mailbox/set", {
    update: { [a!]: { name: "b" }, [b!]: { name: "a" }, [c!]: { name: "a" } },
  });
  expect(swapped.updated).toEqual({ [a!]: null, [b!]: null });
  expect(swapped.notUpdated).toMatchObject({ [c!]: { type: "alreadyExists", existingId: b } });
  const refused = await client.call("Mailbox/set", {
    create: { x: { name: "Inbox" }, y: { name: "y" }, z: { name: "y" } },
  });
  expect(Object.keys(refused.created as object)).toEqual(["y"]);
  expect(refused.notCreated).toMatchObject({ x: { type: "alreadyExists" }, z: { type: "alreadyExists" } });
});

test("/set: a rename onto a name that another rename fails to free is refused too", async () => {
  const [a, b] = await create({ name: "a" }, { name: "b" });
  const response = await client.call("Mailbox/set", { update: { [a!]: { name: "b" }, [b!]: { name: "Inbox" } } });
  expect(response.updated).toBeNull();
  expect(Object.keys(response.notUpdated as object).sort()).toEqual([a, b].sort());
});

test("/set: roles are unique and may move", async () => {
  const [inbox, drafts] = await all();
  const [x] = await create({ name: "x" });
  expect(await client.call("Mailbox/set", { update: { [x!]: { role: "drafts" } } })).toMatchObject({
    notUpdated: { [x!]: { type: "invalidProperties", properties: ["role"] } },
  });
  expect(
    await client.call("Mailbox/set", { update: { [x!]: { role: "drafts" }, [drafts!.id]: { role: null } } }),
  ).toMatchObject({ updated: { [x!]: null, [drafts!.id]: null } });
  expect(await client.call("Mailbox/set", { update: { [x!]: { role: "party" } } })).toMatchObject({
    notUpdated: { [x!]: { type: "invalidProperties", properties: ["role"] } },
  });
  expect(await client.call("Mailbox/set", { update: { [inbox!.id]: { role: null } } })).toMatchObject({
    notUpdated: { [inbox!.id]: { type: "forbidden" } },
  });
  const trash = (await all()).find(({ role }) => role === "trash")!;
  expect(
    await client.call("Mailbox/set", {
      update: { [trash.id]: { role: null } },
      create: { t: { name: "T", role: "trash" } },
    }),
  ).toMatchObject({ updated: { [trash.id]: null }, created: { t: {} } });
});

test("/set refuses loops and too many levels", async () => {
  const [a, b] = await create({ name: "a" }, { name: "b", parentId: "#k0" });
  expect(await client.call("Mailbox/set", { update: { [a!]: { parentId: b } } })).toMatchObject({
    notUpdated: { [a!]: { type: "invalidProperties", properties: ["parentId"] } },
  });
  expect(await client.call("Mailbox/set", { update: { [a!]: { parentId: a } } })).toMatchObject({
    notUpdated: { [a!]: { type: "invalidProperties" } },
  });
  const chain = Object.fromEntries(
    Array.from({ length: 11 }, (_, n) => [`d${n}`, { name: `d${n}`, parentId: n === 0 ? null : `#d${n - 1}` }]),
  );
  const response = await client.call("Mailbox/set", { create: chain });
  expect(Object.keys(response.notCreated as object)).toEqual(["d10"]);
});

test("/set normalises names and refuses invalid ones", async () => {
  const bad = { empty: "", control: "a\u0007b", long: "é".repeat(128), number: 5 };
  const create = Object.fromEntries(Object.entries(bad).map(([key, name]) => [key, { name }]));
  const response = await client.call("Mailbox/set", {
    create: { ...create, missing: {}, composed: { name: "Cafe\u0301" }, longest: { name: "x".repeat(255) } },
  });
  for (const key of [...Object.keys(bad), "missing"]) {
    expect((response.notCreated as object)[key as never]).toMatchObject({
      type: "invalidProperties",
      properties: ["name"],
    });
  }
  expect(response.created).toMatchObject({ composed: { name: "Café" }, longest: {} });
  expect(
    await client.call("Mailbox/set", { create: { x: { name: "n", totalEmails: 3, colour: "red", sortOrder: -1 } } }),
  ).toMatchObject({
    notCreated: { x: { type: "invalidProperties", properties: ["totalEmails", "colour", "sortOrder"] } },
  });
});

test("/set: all wrong properties of a record are named", async () => {
  const [a, b] = await create({ name: "a" }, { name: "b", parentId: "#k0" });
  const response = await client.call("Mailbox/set", {
    create: {
      all: { name: "", parentId: "m999", role: "inbox", sortOrder: -1 },
      several: { name: "\u0000", parentId: "m999", role: "sent" },
      // A refused record keeps neither its name nor its role from others.
      wrong: { name: "free", role: "flagged", sortOrder: "1" },
      right: { name: "free", role: "flagged" },
    },
    update: { [a!]: { parentId: b, role: "drafts", totalEmails: 3 } },
  });
  expect(Object.keys(response.created as object)).toEqual(["right"]);
  const properties = (errors: unknown, key: string) =>
    (errors as Record<string, { properties: string[] }>)[key]!.properties.sort();
  expect(properties(response.notCreated, "all")).toEqual(["name", "parentId", "role", "sortOrder"]);
  expect(properties(response.notCreated, "several")).toEqual(["name", "parentId", "role"]);
  expect(properties(response.notCreated, "wrong")).toEqual(["role", "sortOrder"]);
  expect(properties(response.notUpdated, a!)).toEqual(["parentId", "role", "totalEmails"]);
});

test("/set accepts whole objects, unless server-set properties are changed", async () => {
  const [, drafts] = await all();
  expect(await client.call("Mailbox/set", { update: { [drafts!.id]: { ...drafts, name: "D" } } })).toMatchObject({
    updated: { [drafts!.id]: null },
  });
  expect(await client.call("Mailbox/set", { update: { [drafts!.id]: { totalEmails: 9 } } })).toMatchObject({
    notUpdated: { [drafts!.id]: { type: "invalidProperties", properties: ["totalEmails"] } },
  });
  expect(await client.call("Mailbox/set", { update: { [drafts!.id]: { id: "m99" } } })).toMatchObject({
    notUpdated: { [drafts!.id]: { type: "invalidProperties", properties: ["id"] } },
  });
  expect(await client.call("Mailbox/set", { update: { [drafts!.id]: { "myRights/mayRename": false } } })).toMatchObject(
    {
      notUpdated: { [drafts!.id]: { type: "invalidProperties", properties: ["myRights"] } },
    },
  );
});

test("/set destroy refuses parents, the inbox and unknown ids, and takes a parent together with its children", async () => {
  const [inbox] = await all();
  const [a, b] = await create({ name: "a" }, { name: "b", parentId: "#k0" });
  const refused = await client.call("Mailbox/set", {
    destroy: [a, inbox!.id, "m9999", "x"],
    update: { [a!]: { name: "z" }, m777: { name: "q" } },
    onDestroyRemoveEmails: true,
  });
  expect(refused).toMatchObject({
    destroyed: null,
    notDestroyed: {
      [a!]: { type: "mailboxHasChild" },
      [inbox!.id]: { type: "forbidden" },
      m9999: { type: "notFound" },
      x: { type: "notFound" },
    },
    notUpdated: { [a!]: { type: "willDestroy" }, m777: { type: "notFound" } },
  });
  expect(refused.newState).toBe(refused.oldState);
  expect(await client.call("Mailbox/set", { destroy: [a, b, b] })).toMatchObject({
    destroyed: expect.arrayContaining([a, b]),
    notDestroyed: null,
  });
});

test("/set with ifInState fails in another state", async () => {
  const { state } = await client.call("Mailbox/get");
  expect(await client.call("Mailbox/set", { ifInState: "1-99" })).toMatchObject({ type: "stateMismatch" });
  expect(await client.call("Mailbox/set", { ifInState: "" })).toMatchObject({ type: "stateMismatch" });
  const done = await client.call("Mailbox/set", { ifInState: state, create: { a: { name: "a" } } });
  expect(done).toMatchObject({ oldState: state });
  const again = await client.call("Mailbox/set", { ifInState: state, create: { a: { name: "b" } } });
  expect(again).toMatchObject({ type: "stateMismatch" });
});

test("/changes works in pages of one, coalesces, and refuses unknown states", async () => {
  const { state } = await client.call("Mailbox/get");
  const [a, b, c] = await create({ name: "a" }, { name: "b" }, { name: "c" });
  await client.call("Mailbox/set", { update: { [a!]: { name: "a2" } }, destroy: [b] });
  expect(await client.call("Mailbox/changes", { sinceState: state })).toMatchObject({
    created: [a, c],
    updated: [],
    destroyed: [],
    hasMoreChanges: false,
    updatedProperties: null,
  });
  const log: string[] = [];
  for (let since = state as string; ; ) {
    const page = await client.call("Mailbox/changes", { sinceState: since, maxChanges: 1 });
    const { created, updated, destroyed } = page as Record<string, string[]>;
    expect(created!.length + updated!.length + destroyed!.length).toBeLessThanOrEqual(1);
    log.push(...created!.map((id) => `+${id}`), ...updated!.map((id) => `~${id}`), ...destroyed!.map((id) => `-${id}`));
    since = page.newState as string;
    if (!page.hasMoreChanges) break;
  }
  expect(log).toEqual([`+${a}`, `+${b}`, `+${c}`, `~${a}`, `-${b}`]);
  for (const sinceState of ["", "x", "1-99999", "2-1", "1-1-1-1"]) {
    expect(await client.call("Mailbox/changes", { sinceState })).toMatchObject({ type: "cannotCalculateChanges" });
  }
  expect(await client.call("Mailbox/changes", { sinceState: state, maxChanges: 0 })).toMatchObject({
    type: "invalidArguments",
  });
});

async function names(args: object): Promise<string[]> {
  const { ids } = await client.call("Mailbox/query", args as Record<string, unknown>);
  const byId = new Map((await all()).map(({ id, name }) => [id, name]));
  return (ids as string[]).map((id) => byId.get(id)!);
}

test("/query filters, sorts and cuts windows", async () => {
  expect(await names({ sort: [{ property: "name" }] })).toEqual([
    "Archive",
    "Drafts",
    "Inbox",
    "Junk",
    "Sent",
    "Trash",
  ]);
  expect(await names({ filter: { name: "a" }, sort: [{ property: "sortOrder", isAscending: false }] })).toEqual([
    "Trash",
    "Archive",
    "Drafts",
  ]);
  const not = { operator: "NOT", conditions: [{ role: "inbox" }, { role: "trash" }] };
  const sort = [{ property: "sortOrder" }];
  expect(await names({ filter: not, sort })).toEqual(["Drafts", "Sent", "Archive", "Junk"]);
  expect(await names({ sort, position: -2 })).toEqual(["Junk", "Trash"]);
  expect(await names({ sort, position: 4, limit: 1 })).toEqual(["Junk"]);
  const [inbox, drafts] = await all();
  expect(
    await client.call("Mailbox/query", { sort, anchor: drafts!.id, anchorOffset: -5, limit: 1, calculateTotal: true }),
  ).toMatchObject({ ids: [inbox!.id], position: 0, total: 6 });
  expect(await client.call("Mailbox/query", { sort, position: 99, limit: 0 })).toMatchObject({ ids: [], position: 99 });
});

test("/query refuses unsupported filters and sorts", async () => {
  const type = async (args: object) => (await client.call("Mailbox/query", args as Record<string, unknown>)).type;
  expect(await type({ anchor: "m999" })).toBe("anchorNotFound");
  expect(await type({ filter: { colour: 1 } })).toBe("unsupportedFilter");
  expect(await type({ filter: { name: 1 } })).toBe("invalidArguments");
  expect(await type({ filter: { operator: "XOR", conditions: [] } })).toBe("invalidArguments");
  expect(await type({ sort: [{ property: "colour" }] })).toBe("unsupportedSort");
  expect(await type({ sort: [{ property: "name", collation: "i;klingon" }] })).toBe("unsupportedSort");
  expect(await type({ sort: [{ property: "name", isAscending: 1 }] })).toBe("invalidArguments");
  expect(await type({ limit: -1 })).toBe("invalidArguments");
  const wide = { operator: "AND", conditions: Array.from({ length: 100 }, () => ({ hasAnyRole: true })) };
  expect(await type({ filter: wide })).toBe("unsupportedFilter");
  let deep: object = { hasAnyRole: true };
  for (let level = 0; level < 10; level++) deep = { operator: "AND", conditions: [deep] };
  expect(await type({ filter: deep })).toBe("unsupportedFilter");
});

test("/query sorts and filters as a tree", async () => {
  await create(
    { name: "b" },
    { name: "z", parentId: "#k0" },
    { name: "a", parentId: "#k0", sortOrder: 0 },
    { name: "c" },
  );
  const filter = { hasAnyRole: false };
  const sort = [{ property: "name" }];
  expect(await names({ filter, sort })).toEqual(["a", "b", "c", "z"]);
  expect(await names({ filter, sort, sortAsTree: true })).toEqual(["b", "a", "z", "c"]);
  const withName = { operator: "NOT", conditions: [{ name: "b" }] };
  expect(
    await names({ filter: { operator: "AND", conditions: [filter, withName] }, sort, filterAsTree: true }),
  ).toEqual(["c"]);
});

test("/queryChanges brings an old result to the new one", async () => {
  const [a, b] = await create({ name: "a" }, { name: "b" });
  const query = { filter: { hasAnyRole: false }, sort: [{ property: "name" }] };
  const before = await client.call("Mailbox/query", query);
  const [c] = await create({ name: "0" });
  await client.call("Mailbox/set", { update: { [b!]: { role: "all" } } });
  const changes = await client.call("Mailbox/queryChanges", {
    ...query,
    sinceQueryState: before.queryState,
    calculateTotal: true,
  });
  expect(changes).toMatchObject({ total: 2, added: [{ id: c, index: 0 }] });
  const ids = (before.ids as string[]).filter((id) => !(changes.removed as string[]).includes(id));
  for (const { id, index } of changes.added as { id: string; index: number }[]) ids.splice(index, 0, id);
  expect(ids).toEqual((await client.call("Mailbox/query", query)).ids);
  expect(ids).toEqual([c, a]);
  expect(
    await client.call("Mailbox/queryChanges", { ...query, sinceQueryState: before.queryState, maxChanges: 1 }),
  ).toMatchObject({ type: "tooManyChanges" });
});

test("another login's account is not found, and a read-only account refuses writes", async () => {
  const other = new TestClient(methods, testServices(store), testLogin([await createTestAccount(store)]));
  for (const { name } of methods.filter(({ name }) => /^(Mailbox|Thread)/.test(name))) {
    const args = name.endsWith("/changes")
      ? { sinceState: "1-1" }
      : name.endsWith("/queryChanges")
        ? { sinceQueryState: "1-1" }
        : {};
    const { responses } = await other.request([[name, { accountId: client.account, ...args }, "c"]]);
    expect(responses[0]).toEqual(["error", { type: "accountNotFound" }, "c"]);
  }
  const login = testLogin([client.login.accounts[0]!.id]);
  login.accounts[0]!.isReadOnly = true;
  const reader = new TestClient(methods, testServices(store), login);
  expect(await reader.call("Mailbox/set")).toEqual({ type: "accountReadOnly" });
  expect((await reader.call("Mailbox/get")).list).toHaveLength(6);
});

test("subscriptions are each login's own", async () => {
  const accountId = client.login.accounts[0]!.id;
  const login = testLogin([accountId], { login: "guest", userId: accountId + 1 });
  const guest = new TestClient(methods, testServices(store), login);
  const subscribed = async (who: TestClient) => {
    const filter = { isSubscribed: true };
    return ((await who.call("Mailbox/query", { filter, sort: [{ property: "sortOrder" }] })).ids as string[]).length;
  };
  expect([await subscribed(client), await subscribed(guest)]).toEqual([6, 0]);
  const [inbox, drafts] = await all();
  await guest.call("Mailbox/set", { update: { [inbox!.id]: { isSubscribed: true }, [drafts!.id]: { name: "D" } } });
  await client.call("Mailbox/set", { update: { [inbox!.id]: { isSubscribed: false } } });
  const { created } = await guest.call("Mailbox/set", { create: { k: { name: "new" } } });
  expect((created as Record<string, Mailbox>).k).toMatchObject({ isSubscribed: true });
  expect([await subscribed(client), await subscribed(guest)]).toEqual([6, 2]);
  const properties = ["name", "isSubscribed"];
  expect((await guest.call("Mailbox/get", { ids: [inbox!.id], properties })).list).toMatchObject([
    { isSubscribed: true },
  ]);
  expect((await client.call("Mailbox/get", { ids: [inbox!.id], properties })).list).toMatchObject([
    { isSubscribed: false },
  ]);
  await guest.call("Mailbox/set", { update: { [inbox!.id]: { isSubscribed: false } } });
  expect(await subscribed(guest)).toBe(1);
});
