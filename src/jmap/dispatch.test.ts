import { beforeAll, beforeEach, expect, test } from "vitest";
import { keepEvents } from "../../test/support/events.ts";
import { TestClient, testLogin, testServices } from "../../test/support/jmap.ts";
import { createTestAccount, createTestStore } from "../../test/support/postgres.ts";
import { Kind } from "../store/core/change.ts";
import { unprepared } from "../store/core/sql.ts";
import type { Store } from "../store/core/store.ts";
import { capabilities } from "./capability-names.ts";
import { dispatch } from "./dispatch.ts";
import { MethodError } from "./errors.ts";
import { type Method, ownMethod, readMethod, writeMethod } from "./method.ts";
import { methods as allMethods } from "./methods.ts";
import { OctetPool } from "./octets.ts";
import type { Invocation } from "./references.ts";
import { createRegistry } from "./registry.ts";
import { id, object, optional, text } from "./schema.ts";

const args = object({ accountId: id, mode: optional(text) });
const { core } = capabilities;
const renameAccount = unprepared("UPDATE account SET name = $2 WHERE user_id = $1");
const readName = unprepared<{ name: string }>("SELECT name FROM account WHERE user_id = $1");
let runs = 0;

const testMethods: Method[] = [
  readMethod({
    name: "Test/read",
    capability: core,
    args,
    async run({ mode }, { reader }) {
      if (mode === "refuse") throw new MethodError("forbidden", "no");
      if (mode === "sql") await reader.run(unprepared("SELECT 1/0"));
      if (mode === "bug") throw new TypeError("a secret of the server");
      const [row] = await reader.run(readName, [reader.accountId]);
      return { response: { name: row!.name } };
    },
  }),
  writeMethod<{ accountId: string; mode?: string | undefined }, string>({
    name: "Test/write",
    capability: core,
    args,
    prepare: async () => "prepared",
    async run({ mode }, { tx, createdId }, prepared) {
      runs++;
      await tx.run(renameAccount, [tx.accountId, mode]);
      tx.changed({ type: "Quota", id: 1, kind: Kind.properties });
      if (mode === "refuse") throw new MethodError("forbidden");
      if (mode === "bug") throw new Error("a secret of the server");
      if (mode === "again" && runs < 3) throw Object.assign(new Error("deadlock"), { code: "40P01" });
      const implicit = mode?.startsWith("bring ") ? [{ name: mode.slice(6), args: { accountId: "u0" } }] : [];
      return {
        response: { mode, prepared, earlier: createdId("k") ?? null },
        created: { k: `id-${mode}` },
        implicit: implicit.map((call) => ({ ...call, args: { accountId: accountOf(tx.accountId), mode: "implicit" } })),
      };
    },
  }),
  ownMethod({
    name: "Test/own",
    capability: core,
    args,
    writes: true,
    run: async (_args, call) => ({
      response: { account: call.accountId },
      implicit: [{ name: "Test/read", args: { accountId: call.account } }],
    }),
  }),
];
const accountOf = (number: number) => accounts.get(number)!;
const accounts = new Map<number, string>();

let store: Store;
let client: TestClient;
let statements: string[] = [];

beforeAll(async () => {
  store = await createTestStore({ observe: (text) => void statements.push(text) });
});
beforeEach(async () => {
  const number = await createTestAccount(store);
  client = new TestClient([...allMethods, ...testMethods], testServices(store), testLogin([number]));
  accounts.set(number, client.account);
  runs = 0;
});

const call = (name: string, mode?: string, callId = "c"): Invocation => [
  name,
  { accountId: client.account, ...(mode && { mode }) },
  callId,
];
async function respond(...calls: Invocation[]): Promise<Invocation[]> {
  return JSON.parse(JSON.stringify((await client.request(calls)).responses)) as Invocation[];
}

test("an error takes the place of its call's response, and the other calls run", async () => {
  const responses = await respond(
    ["Nope/get", { accountId: client.account }, "0"],
    ["Test/read", {}, "1"],
    ["Test/read", { accountId: "u999999" }, "2"],
    ["Test/read", { accountId: client.account, extra: 1 }, "3"],
    call("Test/read", "refuse", "4"),
    call("Test/read", undefined, "5"),
  );
  expect(responses.map(([name, { type }, callId]) => [name, type, callId])).toEqual([
    ["error", "unknownMethod", "0"],
    ["error", "invalidArguments", "1"],
    ["error", "accountNotFound", "2"],
    ["error", "invalidArguments", "3"],
    ["error", "forbidden", "4"],
    ["Test/read", undefined, "5"],
  ]);
});

test("an unexpected error is reported by a reference only, and later calls run", async () => {
  for (const mode of ["bug", "sql"]) {
    const responses = await respond(
      call("Test/read"),
      call("Test/read", mode),
      call("Test/read"),
      call("Test/write", "bug"),
    );
    expect(responses.map(([name]) => name)).toEqual(["Test/read", "error", "Test/read", "error"]);
    expect(responses[1]![1]).toMatchObject({ type: "serverFail", description: expect.stringContaining("reference") });
    expect(JSON.stringify(responses)).not.toMatch(/secret|division|SELECT/);
  }
});

test("each call that reached its method is reported once, with its outcome", async () => {
  const { events, told } = keepEvents();
  client.services.events = events;
  await respond(
    ["Nope/get", { accountId: client.account }, "0"],
    call("Test/read", undefined, "1"),
    call("Test/read", "refuse", "2"),
    ["Test/read", { accountId: client.account, extra: 1 }, "3"],
    call("Test/read", "bug", "4"),
    call("Test/write", "again", "5"),
    call("Test/write", "bring Test/write", "6"),
    call("Test/own", undefined, "7"),
  );
  expect(runs).toBeGreaterThan(3);
  const seconds = expect.any(Number);
  expect(told).toEqual(
    [
      ["Test/read", "ok"],
      ["Test/read", "forbidden"],
      ["Test/read", "serverFail"],
      ["Test/write", "ok"],
      ["Test/write", "ok"],
      ["Test/write", "ok"],
      ["Test/own", "ok"],
      ["Test/read", "ok"],
    ].map(([method, outcome]) => ["methodRan", { method, outcome, seconds }]),
  );
});

test("neighbouring reads share one snapshot and read the state once", async () => {
  statements = [];
  const reference = { resultOf: "q", name: "Mailbox/query", path: "/ids" };
  const { accountId } = { accountId: client.account };
  const responses = await respond(
    ["Mailbox/query", { accountId }, "q"],
    ["Mailbox/get", { accountId, "#ids": reference }, "g"],
    ["Mailbox/get", { accountId, "#ids": { ...reference, path: "/none" } }, "bad"],
    ["Thread/get", { accountId, ids: ["t1"] }, "t"],
  );
  expect(responses.map(([name]) => name)).toEqual(["Mailbox/query", "Mailbox/get", "error", "Thread/get"]);
  expect(responses[1]![1].list).toHaveLength(6);
  expect(statements).toHaveLength(4);
});

test("a refused write leaves nothing behind", async () => {
  const before = await client.call("Test/read");
  const responses = await respond(call("Test/write", "refuse"), call("Test/write", "bug"), call("Test/read"));
  expect(responses.map(([name, { type }]) => [name, type])).toEqual([
    ["error", "forbidden"],
    ["error", "serverFail"],
    ["Test/read", undefined],
  ]);
  expect(responses[2]![1]).toEqual(before);
});

test("a write that lost a race runs again and reports its creations once", async () => {
  const result = await client.request([call("Test/write", "again"), call("Test/write", "later")]);
  expect(runs).toBe(4);
  expect(result.responses.map(([, response]) => response)).toEqual([
    { mode: "again", prepared: "prepared", earlier: null },
    { mode: "later", prepared: "prepared", earlier: "id-again" },
  ]);
  expect(result.createdIds).toEqual({ k: "id-later" });
});

test("an implicit write shares the transaction and sees the records created in it", async () => {
  let commits = 0;
  store.onCommit = () => commits++;
  const responses = await respond(call("Test/write", "bring Test/write", "x"), call("Test/read", undefined, "y"));
  expect(responses).toEqual([
    ["Test/write", { mode: "bring Test/write", prepared: "prepared", earlier: null }, "x"],
    ["Test/write", { mode: "implicit", prepared: "prepared", earlier: "id-bring Test/write" }, "x"],
    ["Test/read", { name: "implicit" }, "y"],
  ]);
  expect(commits).toBe(1);
});

test("other implicit calls run after the commit, before the next call", async () => {
  const responses = await respond(call("Test/write", "bring Test/own", "x"), call("Test/own", undefined, "y"));
  expect(responses.map(([name, , callId]) => [name, callId])).toEqual([
    ["Test/write", "x"],
    ["Test/own", "x"],
    ["Test/read", "x"],
    ["Test/own", "y"],
    ["Test/read", "y"],
  ]);
});

test("an implicit call needs no capability in `using`", async () => {
  const { services, login } = client;
  const hidden = testMethods.map((method) => ({
    ...method,
    ...(method.name === "Test/own" && { capability: "urn:x" }),
  }));
  const calls = [call("Test/write", "bring Test/own"), call("Test/own")];
  const request = { login, using: new Set([core]), calls, createdIds: {}, octets: services.octets.lease() };
  const { responses } = await dispatch(createRegistry(hidden), services, request);
  expect(responses.map(([name]) => name)).toEqual(["Test/write", "Test/own", "Test/read", "error"]);
});

test("the answers of reads are bounded in total, those of writes are not", async () => {
  const services = { ...client.services, octets: new OctetPool(1_000, 40) };
  const small = new TestClient(testMethods, services, client.login);
  const { responses } = await small.request([call("Test/read"), call("Test/read"), call("Test/write", "x")]);
  const outcomes = responses.map(([name, args]) => (name === "error" ? args.type : name));
  expect(outcomes).toEqual(["Test/read", "requestTooLarge", "Test/write"]);
});

test("only methods of capabilities in using are known, unless relaxed", async () => {
  const { services, login } = client;
  const registry = createRegistry(testMethods);
  const request = {
    login,
    using: new Set<string>(),
    calls: [call("Test/read")],
    createdIds: {},
    octets: services.octets.lease(),
  };
  expect((await dispatch(registry, services, request)).responses[0]![1]).toMatchObject({ type: "unknownMethod" });
  const relaxed = await dispatch(registry, services, { ...request, relaxedUsing: true });
  expect(relaxed.responses[0]![0]).toBe("Test/read");
});

test("a removed account is not found", async () => {
  const gone = new TestClient(testMethods, testServices(store), testLogin([987_654]));
  for (const name of ["Test/write", "Mailbox/get"]) {
    const ghost = name === "Mailbox/get" ? new TestClient(allMethods, testServices(store), testLogin([987_654])) : gone;
    expect(await ghost.call(name, {})).toMatchObject({ type: "accountNotFound" });
  }
});

test("two methods of the same name are refused", () => {
  expect(() => createRegistry([...testMethods, testMethods[0]!])).toThrow("Test/read");
});
