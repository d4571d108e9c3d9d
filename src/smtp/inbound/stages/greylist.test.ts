import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startDns } from "../../../../test/support/dns.ts";
import { createTestAccount, createTestStore } from "../../../../test/support/postgres.ts";
import { unprepared } from "../../../store/core/sql.ts";
import { findEntry } from "../../../store/directory/recipients.ts";
import { noteCorrespondents } from "../../../store/mail/correspondents.ts";
import { dropGrey } from "../../../store/queues/greylist.ts";
import { greylist } from "./greylist.ts";
import { factsOf, peer } from "./testing.ts";

const minute = 60_000;
const clock = { at: Date.parse("2026-01-01T00:00:00Z"), now: () => new Date(clock.at) };
const dns = await startDns();
afterAll(() => dns.stop());
const store = await createTestStore();
const { database } = store;
let ann: number;
let entry: NonNullable<Awaited<ReturnType<typeof findEntry>>>;

beforeAll(async () => {
  ann = await createTestAccount(store, "ann@here.test");
  entry = (await findEntry(database, "ann@here.test"))!;
});
beforeEach(() => rows("DELETE FROM greylist"));

const rows = (text: string) => database.run(unprepared(`/* test */ ${text}`));
const means = () => ({ database, clock, resolver: dns.resolver(), hostname: "mx.here.test", greylist: true });
const check = greylist(means());
const comes = async (from = "eve@there.test", address = "198.51.100.7", more = {}) => {
  const facts = factsOf.rcpt({ mailFrom: from, userId: ann, entry, ...more });
  return check(peer(address), facts);
};
const later = (minutes: number) => {
  clock.at += minutes * minute;
};
const isPutOff = { kind: "defer", code: 451, status: "4.7.1", text: expect.stringMatching(/again in [1-5] min/) };

test("a stranger is put off, comes again after five minutes, and is known with its network and domain from then on", async () => {
  expect(await comes()).toMatchObject(isPutOff);
  later(4);
  expect(await comes()).toMatchObject({ ...isPutOff, text: expect.stringContaining("in 1 min") });
  later(2);
  // A large sender may try again from a neighbour.
  expect(await comes("eve@there.test", "198.51.100.99")).toMatchObject({ kind: "pass" });
  expect(await comes("bob@there.test", "198.51.100.5")).toMatchObject({ kind: "pass" });
  expect(await comes("bob@elsewhere.test", "198.51.100.5")).toMatchObject(isPutOff);
  expect(await comes("bob@there.test", "203.0.113.5")).toMatchObject(isPutOff);
  expect(await comes("bob@there.test", "2001:db8:1:2::5")).toMatchObject(isPutOff);
  later(6);
  expect(await comes("bob@there.test", "2001:db8:1:2:9::6")).toMatchObject({ kind: "pass" });
});

test("one that comes back after a day begins anew", async () => {
  expect(await comes()).toMatchObject(isPutOff);
  later(25 * 60);
  expect(await comes()).toMatchObject(isPutOff);
});

test("people whom the account has written to, and networks that SPF names, are no strangers", async () => {
  const one = { address: "pen@friend.test", domain: "friend.test", shape: "friend.test", nameKey: "" };
  await store.write(ann, "server", async (tx) => noteCorrespondents(tx, [one]));
  expect(await comes("Pen@friend.test")).toMatchObject({ kind: "pass" });
  dns.set("spf.test", "TXT", ["v=spf1 ip4:198.51.100.0/24 -all"]);
  expect(await comes("eve@spf.test")).toMatchObject({ kind: "pass" });
  expect(await comes("eve@spf.test", "203.0.113.9")).toMatchObject(isPutOff);
});

test("postmaster and abuse, return paths, our own machine and a full list put nobody off", async () => {
  const path = (address: string) => ({ path: { address, parameters: {} } });
  expect(await comes("eve@there.test", "198.51.100.7", path("postmaster@here.test"))).toMatchObject({ kind: "pass" });
  expect(await comes("eve@there.test", "198.51.100.7", { entry: undefined })).toMatchObject({ kind: "pass" });
  const facts = factsOf.rcpt({ userId: ann, entry });
  expect(await check(peer("127.0.0.1", { isLoopback: true }), facts)).toMatchObject({ kind: "pass" });
  expect(await greylist({ ...means(), greylist: false })(peer(), facts)).toMatchObject({ kind: "pass" });
  expect(await comes("one@there.test")).toMatchObject(isPutOff);
  const full = greylist({ ...means(), maxGreylisted: 1 });
  await full(peer(), factsOf.rcpt({ mailFrom: "two@there.test", userId: ann, entry }));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await full(peer(), factsOf.rcpt({ mailFrom: "six@there.test", userId: ann, entry }))).toMatchObject({
    kind: "pass",
  });
});

test("those that never came back are forgotten after a day, the others after 36", async () => {
  await comes("once@there.test");
  await comes("twice@known.test");
  later(6);
  await comes("twice@known.test");
  const left = async () => {
    await dropGrey(database, clock.now(), 100);
    return (await rows("SELECT key FROM greylist")).length;
  };
  expect(await left()).toBe(3);
  later(25 * 60);
  expect(await left()).toBe(1);
  later(30 * 24 * 60);
  // Coming again keeps it.
  expect(await comes("twice@known.test")).toMatchObject({ kind: "pass" });
  later(30 * 24 * 60);
  expect(await left()).toBe(1);
  later(7 * 24 * 60);
  expect(await left()).toBe(0);
});
