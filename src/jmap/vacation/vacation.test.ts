import { beforeAll, beforeEach, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import type { Store } from "../../store/core/store.ts";
import { methods } from "../methods.ts";

type Json = Record<string, unknown>;

let store: Store;
let client: TestClient;

beforeAll(async () => {
  store = await createTestStore();
});
beforeEach(async () => {
  client = new TestClient(methods, testServices(store), testLogin([await createTestAccount(store)]));
});

const defaults = {
  id: "singleton",
  isEnabled: false,
  fromDate: null,
  toDate: null,
  subject: null,
  textBody: null,
  htmlBody: null,
};
const set = (args: Json) => client.call("VacationResponse/set", args);
const get = (args: Json = {}) => client.call("VacationResponse/get", args);

test("there is exactly one, with defaults", async () => {
  expect(await get({ ids: null })).toMatchObject({ list: [defaults], notFound: [] });
  expect(await get({ ids: ["singleton", "x"], properties: ["isEnabled"] })).toMatchObject({
    list: [{ id: "singleton", isEnabled: false }],
    notFound: ["x"],
  });
});

test("/get returns what was set, and the state changes", async () => {
  const before = (await get()).state;
  const values = {
    isEnabled: true,
    fromDate: "2026-02-01T00:00:00Z",
    toDate: "2026-02-08T12:30:00.5Z",
    subject: "Away",
    textBody: "Back on Monday.",
    htmlBody: "<p>Back on Monday.</p>",
  };
  expect(await set({ ifInState: before, update: { singleton: values } })).toMatchObject({
    oldState: before,
    updated: { singleton: null },
    notUpdated: null,
  });
  const after = await get();
  expect(after.list).toEqual([{ id: "singleton", ...values }]);
  expect(after.state).not.toBe(before);
  await set({ update: { singleton: { textBody: null } } });
  expect((await get()).list).toEqual([{ id: "singleton", ...values, textBody: null }]);
  expect(await set({ ifInState: before, update: {} })).toMatchObject({ type: "stateMismatch" });
});

test("a leap second is returned as it is stored", async () => {
  const answer = await set({ update: { singleton: { fromDate: "2016-12-31T23:59:60Z" } } });
  expect(answer.updated).toEqual({ singleton: { fromDate: "2017-01-01T00:00:00Z" } });
});

test("it cannot end before it begins", async () => {
  const dates = { fromDate: "2026-02-02T00:00:00Z", toDate: "2026-02-01T00:00:00Z" };
  expect(await set({ update: { singleton: dates } })).toMatchObject({
    notUpdated: { singleton: { type: "invalidProperties", properties: ["fromDate", "toDate"] } },
  });
  expect(await set({ update: { singleton: { ...dates, isEnabled: "yes" } } })).toMatchObject({
    notUpdated: { singleton: { properties: ["isEnabled", "fromDate", "toDate"] } },
  });
});

test("it can be neither created nor destroyed", async () => {
  expect(await set({ create: { a: { isEnabled: true } }, destroy: ["singleton"] })).toMatchObject({
    created: null,
    destroyed: null,
    notCreated: { a: { type: "singleton" } },
    notDestroyed: { singleton: { type: "singleton" } },
  });
  expect(await set({ update: { other: { isEnabled: true } } })).toMatchObject({
    notUpdated: { other: { type: "notFound" } },
  });
});

test.each([
  ["isEnabled", "yes"],
  ["fromDate", "2026-02-01"],
  ["toDate", "2026-02-01T00:00:00+01:00"],
  ["subject", "a\0b"],
  ["textBody", 1],
  ["id", "other"],
  ["nothing", true],
])("%s: %j is refused", async (name, value) => {
  expect(await set({ update: { singleton: { [name]: value } } })).toMatchObject({
    notUpdated: { singleton: { type: "invalidProperties", properties: [name] } },
  });
});
