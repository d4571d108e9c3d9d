import { expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { insertIdentities } from "../../store/mail/identities.ts";
import { insertMailboxes } from "../../store/mail/mailboxes.ts";
import { methods } from "../methods.ts";
import { maxMailboxes } from "./check.ts";

const store = await createTestStore();
const account = await createTestAccount(store, "many@many.example");
const client = new TestClient(methods, testServices(store), testLogin([account]));
const listed = async (name: string) => {
  const { list } = await client.call(`${name}/get`, { ids: null, properties: ["id"] });
  return (list as { id: string }[]).map(({ id }) => id);
};

test("/get returns as many mailboxes as may exist at once, and no more can be created", async () => {
  const names = Array.from({ length: maxMailboxes - 8 }, (_, n) => `box ${n}`);
  await store.write(account, "server", async (tx) => {
    const ids = await tx.newIds(names.length);
    const rest = { parentId: null, role: null, sortOrder: 0, isSubscribed: true };
    await insertMailboxes(
      tx,
      names.map((name, index) => ({ id: ids[index]!, name, ...rest })),
    );
  });
  const before = await listed("Mailbox");
  expect(before).toHaveLength(maxMailboxes - 2);
  const create = { a: { name: "a" }, b: { name: "b" }, c: { name: "c" } };
  expect(await client.call("Mailbox/set", { create })).toMatchObject({
    created: { a: {}, b: {} },
    notCreated: { c: { type: "overQuota" } },
  });
  expect(await listed("Mailbox")).toHaveLength(maxMailboxes);
  const swap = { create: { d: { name: "d" } }, destroy: [before.at(-1)] };
  expect(await client.call("Mailbox/set", swap)).toMatchObject({ created: { d: {} }, notCreated: null });
  const asked = await client.call("Mailbox/get", { ids: before.slice(0, 1_001) });
  expect(asked).toMatchObject({ type: "requestTooLarge" });
});

test("/get returns as many identities as may exist at once, and no more can be created", async () => {
  await store.write(account, "server", async (tx) => {
    const ids = await tx.newIds(998);
    const rest = { name: "", email: "a@b.test", replyTo: null, bcc: null, textSignature: "", htmlSignature: "" };
    await insertIdentities(
      tx,
      ids.map((id) => ({ id, ...rest, mayDelete: true })),
    );
  });
  const create = { a: { email: "many@many.example" }, b: { email: "many@many.example" } };
  expect(await client.call("Identity/set", { create })).toMatchObject({
    created: { a: {} },
    notCreated: { b: { type: "overQuota" } },
  });
  expect(await listed("Identity")).toHaveLength(1_000);
  const small = testServices(store, { limits: { ...client.services.limits, maxObjectsInGet: 10 } });
  const other = new TestClient(methods, small, client.login);
  expect((await other.call("Identity/get", { ids: null })).list).toHaveLength(1_000);
  expect((await other.call("Mailbox/get", {})).list).toHaveLength(maxMailboxes);
});
