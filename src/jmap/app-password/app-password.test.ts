import { beforeAll, beforeEach, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { OwnCounts } from "../../base/own-counts.ts";
import type { BusEvent } from "../../push/carrier.ts";
import type { Store } from "../../store/core/store.ts";
import { auditBefore } from "../../store/directory/audit.ts";
import { addAppPassword } from "../../store/directory/tokens.ts";
import { methods } from "../methods.ts";
import { maxAppPasswords } from "./type.ts";

type Json = Record<string, unknown>;

let store: Store;
let client: TestClient;
let announced: BusEvent[];
let count = 0;

beforeAll(async () => {
  store = await createTestStore();
});
beforeEach(async () => {
  announced = [];
  const name = `ann${++count}@apps.example`;
  const newAppPasswords = new OwnCounts({ clock: store.clock }).rateLimit("", { max: 2, windowMs: 3_600_000 });
  const services = testServices(store, { bus: { publish: (event) => void announced.push(event) }, newAppPasswords });
  client = new TestClient(methods, services, testLogin([await createTestAccount(store, name)], { login: name }));
});

async function call(name: string, args: Json = {}): Promise<Json> {
  const { responses } = await client.request([[`AppPassword/${name}`, args, "c"]]);
  return responses[0]![1];
}
const acts = async () =>
  (await auditBefore(store.database, client.login.userId, { before: 1e9, limit: 3 })).map(({ what }) => what);

test("its secret is told once, and opens the account until it is destroyed", async () => {
  const made = await call("set", { create: { a: { label: "my phone" } } });
  const { id, secret, createdAt } = (made.created as Record<string, Record<"id" | "secret" | "createdAt", string>>).a!;
  const { authenticator } = client.services;
  const open = () => authenticator.checkFirstFactor(client.login.login, secret, "192.0.2.9");
  expect(await open()).toMatchObject({ credential: `app:${secret.slice(0, 6)}` });
  const { list } = await call("get");
  expect(list).toEqual([
    {
      id,
      label: "my phone",
      createdAt,
      lastUsedAt: expect.stringMatching(/Z$/),
      network: "192.0.2.9",
    },
  ]);
  expect(await acts()).toEqual([{ act: "app-password.add", id: secret.slice(0, 6) }]);
  expect(await call("set", { destroy: [id] })).toMatchObject({ destroyed: [id] });
  expect(announced).toEqual([{ credential: client.login.login }]);
  expect((await acts())[0]).toEqual({ act: "credential.revoke", id: secret.slice(0, 6) });
  expect(await call("get")).toMatchObject({ list: [] });
});

test("it has a label, which is all that one gives and does not change", async () => {
  const bad = {
    a: {},
    b: { label: "x\n" },
    c: { label: "x", secret: "chosen" },
    d: { label: "x", createdAt: "2026-01-01T00:00:00Z" },
  };
  const { notCreated } = await call("set", { create: bad });
  const properties = Object.values(notCreated as Record<string, Json>).map((error) => error.properties);
  expect(properties).toEqual([["label"], ["label"], ["secret"], ["createdAt"]]);
  const made = await call("set", { create: { a: { label: "phone" } } });
  const { id } = (made.created as Record<string, { id: string }>).a!;
  expect(await call("set", { update: { [id]: { label: "other" } } })).toMatchObject({
    notUpdated: { [id]: { type: "invalidProperties", properties: ["label"] } },
  });
});

test("a login has a number of them at most, and makes a few in an hour", async () => {
  const create = { a: { label: "1" }, b: { label: "2" }, c: { label: "3" } };
  expect(await call("set", { create })).toMatchObject({
    created: { a: {}, b: {} },
    notCreated: { c: { type: "rateLimit" } },
  });
  const { login, userId } = client.login;
  for (let at = 2; at < maxAppPasswords; at++) {
    const app = { login, userId, id: `id${`${at}`.padStart(4, "0")}`, label: "", hash: "" };
    await addAppPassword({ database: store.database, clock: store.clock }, app);
  }
  expect(await call("set", { create: { d: { label: "4" } } })).toMatchObject({
    notCreated: { d: { type: "overQuota" } },
  });
});
