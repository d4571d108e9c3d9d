import { beforeAll, expect, test } from "vitest";
import { addAddress, removeAddress } from "../../src/admin/addresses.ts";
import { listMaskedAddresses, maskAddress, pauseMaskedAddress } from "../../src/admin/masked-addresses.ts";
import { testAdmin } from "../support/admin.ts";
import { deliver, SmtpFailure } from "../support/smtp-client.ts";
import { ada, bob, client, clientOf, draft, host, mail, status, useOutbox } from "./outbox.ts";

useOutbox();
beforeAll(() => host.listen());

type Json = Record<string, unknown>;
interface Mask extends Json {
  id: string;
  email: string;
}

const admin = () => testAdmin(host.store);
const set = (args: Json, by = client) => by.call("MaskedAddress/set", args) as Promise<Record<string, Json>>;
async function made(given: Json = {}): Promise<Mask> {
  const { created } = await set({ create: { a: given } });
  return created!.a as Mask;
}
async function shown(id: string): Promise<Json | undefined> {
  return ((await client.call("MaskedAddress/get", { ids: [id] })).list as Json[])[0];
}
async function comes(to: string, author = "eve@there.test"): Promise<string> {
  const data = `From: ${author}\r\nTo: ${to}\r\nSubject: Hello\r\n\r\nHello.\r\n`;
  const outcome = await deliver({ port: host.smtpPort, from: "bounces@lists.test", to, data }).catch((e: unknown) => e);
  await host.incoming.idle();
  return outcome instanceof SmtpFailure ? outcome.line : "taken";
}

test("a user makes an address, and sees who writes to it; each mail is pushed", async () => {
  const mask = await made({ label: "shop" });
  expect(mask.email).toMatch(/^([bdfghjklmnprstvz][aeio]){4}\.\d{5}@here\.test$/);
  expect(mask).toMatchObject({ messageCount: 0, lastMessageAt: null, senders: [] });
  const { state } = await client.call("MaskedAddress/get", { ids: [] });
  host.changes.length = 0;
  const before = (await host.mails(ada)).length;
  expect(await comes(mask.email)).toBe("taken");
  expect(await comes(mask.email.toUpperCase(), "Eve <eve@Sold.test>")).toBe("taken");
  expect(await comes(mask.email.replace("@", "+tag@"))).toBe("taken");
  expect(await host.mails(ada)).toHaveLength(before + 3);
  expect(await shown(mask.id)).toEqual({
    ...{ id: mask.id, email: mask.email, label: "shop", state: "enabled", createdAt: mask.createdAt, messageCount: 3 },
    lastMessageAt: expect.stringMatching(/^\d{4}-.*:\d\dZ$/),
    senders: [
      { domain: "there.test", messageCount: 2, lastMessageAt: expect.any(String) },
      { domain: "sold.test", messageCount: 1, lastMessageAt: expect.any(String) },
    ],
  });
  expect(host.changes.filter(({ changed }) => changed.MaskedAddress !== undefined)).toHaveLength(3);
  expect(await client.call("MaskedAddress/changes", { sinceState: state })).toMatchObject({ updated: [mask.id] });
});

test("a paused address refuses mail as if it did not exist, from outside and from our users, even beside a catch-all", async () => {
  await addAddress(admin(), "@here.test", "bob@here.test");
  const mask = await made();
  await set({ update: { [mask.id]: { state: "disabled", label: "leaked" } } });
  expect(await comes(mask.email)).toMatch(/^550 5\.1\.1 /);
  expect(await shown(mask.id)).toMatchObject({ state: "disabled", label: "leaked", messageCount: 0 });
  const identities = (await clientOf(bob).call("Identity/get", { ids: null })).list as Json[];
  const emailId = await draft(await mail(mask.email, "To a mask", { from: "bob@here.test" }), clientOf(bob));
  const create = { s: { emailId, identityId: identities[0]!.id } };
  await clientOf(bob).call("EmailSubmission/set", { create });
  const [failed] = await untilRows();
  expect(failed).toMatchObject({ smtp_reply: "550 5.1.1 no such address here" });
  await set({ update: { [mask.id]: { state: "enabled" } } });
  expect(await comes(mask.email)).toBe("taken");
  await removeAddress(admin(), "@here.test");
});

const untilRows = async () => {
  const { until } = await import("../support/ports.ts");
  return until("a failed delivery", async () => {
    const rows = await host.rows("SELECT smtp_reply FROM delivery WHERE user_id = $1 AND state = 'failed'", [bob]);
    return rows.length > 0 ? rows : undefined;
  });
};

test("mail may be sent from a masked address, as that of an identity, until it is destroyed", async () => {
  const mask = await made({ label: "list" });
  const { created } = await client.call("Identity/set", { create: { i: { email: mask.email } } });
  const identityId = (created as Record<string, Json>).i!.id;
  const emailId = await draft(await mail("cy@far.test", "From a mask", { from: mask.email }));
  const sent = await client.call("EmailSubmission/set", { create: { s: { emailId, identityId } } });
  await status((sent.created as Record<string, { id: string }>).s!.id, "cy@far.test", "unknown");
  expect((await set({ destroy: [mask.id] })).destroyed).toEqual([mask.id]);
  expect(await comes(mask.email)).toMatch(/^550 5\.1\.1 /);
  const again = await client.call("EmailSubmission/set", { create: { s: { emailId, identityId } } });
  expect(again.notCreated).toMatchObject({ s: { type: "forbiddenFrom" } });
});

test("what a client may not set is refused, and each account has its own", async () => {
  const { notCreated } = await set({
    create: { a: { email: "mine@here.test" }, b: { state: "gone" }, c: { label: "two\nlines" }, d: { label: 3 } },
  });
  for (const id of "abcd") expect(notCreated![id], id).toMatchObject({ type: "invalidProperties" });
  const mask = await made();
  const other = await clientOf(bob).call("MaskedAddress/get", { ids: [mask.id] });
  expect(other).toMatchObject({ list: [], notFound: [mask.id] });
  expect((await set({ destroy: [mask.id] }, clientOf(bob))).notDestroyed).toMatchObject({
    [mask.id]: { type: "notFound" },
  });
});

test("an account has 1,000 at most", async () => {
  const cy = await host.account("cy@here.test");
  const [client, names] = [clientOf(cy), Array.from({ length: 1_000 }, (_, n) => `n${n}`)];
  const full = await set({ create: Object.fromEntries(names.map((name) => [name, {}])) }, client);
  expect(Object.keys(full.created!)).toHaveLength(1_000);
  expect(new Set(Object.values(full.created!).map((one) => (one as Mask).email)).size).toBe(1_000);
  expect((await set({ create: { a: {} } }, client)).notCreated).toMatchObject({ a: { type: "overQuota" } });
  expect((await client.call("MaskedAddress/get", { ids: null })).list).toHaveLength(1_000);
});

test("the operator makes, lists, pauses and removes them, and the audit tells", async () => {
  const address = await maskAddress(admin(), "ada@here.test", " from the operator ");
  expect(await comes(address)).toBe("taken");
  expect(await pauseMaskedAddress(admin(), address.toUpperCase(), true)).toBe(address);
  expect(await comes(address)).toMatch(/^550 5\.1\.1 /);
  const found = (await listMaskedAddresses(admin(), "ada@here.test")).find(({ email }) => email === address);
  expect(found).toMatchObject({ label: "from the operator", state: "disabled", messages: 1 });
  await pauseMaskedAddress(admin(), address, false);
  expect(await comes(address)).toBe("taken");
  await removeAddress(admin(), address);
  expect(await comes(address)).toMatch(/^550 5\.1\.1 /);
  await expect(pauseMaskedAddress(admin(), address, true)).rejects.toMatchObject({ why: { type: "notMasked" } });
  const { list } = await client.call("MaskedAddress/get", { ids: null });
  expect(list).not.toContainEqual(expect.objectContaining({ email: address }));
});
