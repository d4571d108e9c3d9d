import { beforeEach, expect, test } from "vitest";
import { createEmailWorld, type EmailWorld, type Json } from "../../../test/support/email-world.ts";
import { testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestStore } from "../../../test/support/postgres.ts";
import { type Log, silentLog } from "../../base/log.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import { BlobMissing } from "../../store/core/errors.ts";
import { unprepared } from "../../store/core/sql.ts";
import { removeAccount } from "../../store/upkeep/removal.ts";
import { reindexAccount } from "./reindex.ts";

const store = await createTestStore();
const services = testServices(store, createMailServices(store));
const { blobs } = services;
let world: EmailWorld;

beforeEach(async () => {
  world = await createEmailWorld(services);
});

async function add(body: string, subject = "report"): Promise<string> {
  const blobId = await world.upload(`From: a@example.org\r\nSubject: ${subject}\r\n\r\n${body}\r\n`);
  const mailboxIds = { [world.inbox]: true };
  const answer = await world.client.call("Email/import", { emails: { a: { blobId, mailboxIds } } });
  return (answer.created as Record<string, { id: string }>).a!.id;
}

/** Terms as an older version stored them: only the beginning of a long mail. */
async function age(): Promise<void> {
  const { account } = world;
  const run = (text: string) => store.reader(account, "server").run(unprepared(text), [account]);
  await run(`UPDATE search s SET version = 0, terms = CASE WHEN length(s.terms) > 0 THEN s.terms
    ELSE (SELECT p.terms FROM search_part p WHERE p.user_id = $1 AND p.no = s.no AND p.part = 0) END WHERE s.user_id = $1`);
  await run("DELETE FROM search_part WHERE user_id = $1");
}

const reindex = (tell: (done: number, of: number) => void = () => {}) =>
  reindexAccount({ store, blobs, log: silentLog }, world.account, tell);
const query = (filter: Json) => world.client.call("Email/query", { filter });
const find = async (text: string) => (await query({ text })).ids;
const changes = async (filter: Json, sinceQueryState: unknown) =>
  world.client.call("Email/queryChanges", { filter, sinceQueryState });
const longBody = `first ${"again ".repeat(300)} last`;

test("after reindexing, old mail is found by all its words, and no email has changed", async () => {
  const short = await add("brief");
  const long = await add(longBody);
  await age();
  expect(await find("first")).toEqual([long]);
  expect(await find("last")).toEqual([]);
  const before = await Promise.all([query({ text: "last" }), query({ inMailbox: world.inbox })]);
  const { state } = await world.client.call("Email/get", { ids: [] });
  const told: [number, number][] = [];
  expect(await reindex((done, of) => told.push([done, of]))).toEqual({ done: 2, missing: 0, failed: 0 });
  expect(told).toEqual([
    [0, 2],
    [1, 2],
  ]);
  expect(await find("last")).toEqual([long]);
  expect(await find('"again last"')).toEqual([long]);
  expect(await find("first -last")).toEqual([]);
  expect(await find("brief")).toEqual([short]);
  expect(await world.client.call("Email/get", { ids: [] })).toMatchObject({ state });
  expect(await world.client.call("Email/changes", { sinceState: state })).toMatchObject({
    newState: state,
    updated: [],
  });

  // RFC 8620 §5.5: the state of a query changes with its results.
  const after = await query({ text: "last" });
  expect(after.queryState).not.toBe(before[0]!.queryState);
  expect(await changes({ text: "last" }, before[0]!.queryState)).toMatchObject({ type: "cannotCalculateChanges" });
  expect((await query({ inMailbox: world.inbox })).queryState).toBe(before[1]!.queryState);
  expect(await changes({ inMailbox: world.inbox }, before[1]!.queryState)).toMatchObject({ removed: [], added: [] });
  expect(await changes({ text: "last" }, after.queryState)).toMatchObject({
    newQueryState: after.queryState,
    removed: [],
    added: [],
  });
  const third = await add("the last one");
  const next = await changes({ text: "last" }, after.queryState);
  expect(next).toMatchObject({ removed: [], added: [{ id: third, index: 0 }] });
  expect(await changes({ text: "last" }, next.newQueryState)).toMatchObject({ removed: [], added: [] });
});

test("finished messages stay finished: a second run does the rest, and a third has nothing to do", async () => {
  for (let n = 0; n < 60; n++) await add(`number${n} ${n === 30 ? longBody : ""}`);
  await age();
  const stop = (done: number) => {
    if (done === 55) throw new Error("stopped");
  };
  await expect(reindex(stop)).rejects.toThrow("stopped");
  // The newest come first.
  expect(await find("last")).toHaveLength(1);
  expect(await reindex()).toEqual({ done: 10, missing: 0, failed: 0 });
  const { queryState } = await query({ text: "last" });
  expect(await reindex()).toEqual({ done: 0, missing: 0, failed: 0 });
  expect((await query({ text: "last" })).queryState).toBe(queryState);
});

test("a mail that arrives, is removed or has lost its body meanwhile does not stop the run", async () => {
  const [gone, lost, kept] = [await add("gone"), await add("lost"), await add("kept")];
  await age();
  const { blobId } = await world.get(lost, ["blobId"]);
  const readObject: Blobs["readObject"] = async (blob) => {
    if (encodeBlobId(blob.sha256) === blobId) throw new BlobMissing("it is not there");
    if (await world.get(gone)) await world.client.call("Email/set", { destroy: [gone] });
    return blobs.readObject(blob);
  };
  const result = await reindexAccount({ store, blobs: { readObject }, log: silentLog }, world.account, () => {});
  expect(result).toMatchObject({ missing: 1 });
  expect(await find("kept")).toEqual([kept]);
  expect(await find("lost")).toEqual([lost]);
  expect(await find("gone")).toEqual([]);
  const rows = await store
    .reader(world.account, "server")
    .run(unprepared<{ count: number }>("SELECT count(*) AS count FROM search WHERE user_id = $1"), [world.account]);
  expect(rows[0]!.count).toBe(2);
});

test("a mail that cannot be read is counted and named, and the others are done", async () => {
  const [first, broken, last] = [await add("first"), await add("broken"), await add(longBody)];
  await age();
  const { blobId } = await world.get(broken, ["blobId"]);
  const readObject: Blobs["readObject"] = async (blob) => {
    if (encodeBlobId(blob.sha256) === blobId) throw new Error("it cannot be read");
    return blobs.readObject(blob);
  };
  const told: object[] = [];
  const log: Log = { ...silentLog, error: (fields) => told.push(fields) };
  const result = await reindexAccount({ store, blobs: { readObject }, log }, world.account, () => {});
  expect(result).toEqual({ done: 2, missing: 0, failed: 1 });
  expect(told).toMatchObject([{ account: world.account, message: expect.any(Number) }]);
  expect(await find("last")).toEqual([last]);
  expect(await find("broken")).toEqual([broken]);
  expect(await find("first")).toHaveLength(2);
  expect(await find("first -again")).toEqual([first]);
});

test("terms that the database refuses are counted, and the others are stored", async () => {
  const [first, last] = [await add("first"), await add("last")];
  await age();
  const { account } = world;
  const selectFirst = unprepared<{ no: number }>("SELECT min(no) AS no FROM search WHERE user_id = $1");
  const { no } = (await store.reader(account, "server").run(selectFirst, [account]))[0]!;
  const run = (text: string) => store.database.run(unprepared(text), []);
  await run(`ALTER TABLE search ADD CONSTRAINT refuse_one CHECK (user_id <> ${account} OR no <> ${no} OR version = 0)`);
  try {
    expect(await reindex()).toEqual({ done: 1, missing: 0, failed: 1 });
  } finally {
    await run("ALTER TABLE search DROP CONSTRAINT refuse_one");
  }
  expect(await find("first")).toEqual([first]);
  expect(await find("last")).toEqual([last]);
  expect(await reindex()).toEqual({ done: 1, missing: 0, failed: 0 });
});

test("an account that is removed meanwhile ends its own run alone", async () => {
  await add("gone");
  await age();
  const readObject: Blobs["readObject"] = async (blob) => {
    const body = await blobs.readObject(blob);
    await removeAccount(store, world.account);
    return body;
  };
  const result = await reindexAccount({ store, blobs: { readObject }, log: silentLog }, world.account, () => {});
  expect(result).toEqual({ done: 0, missing: 0, failed: 0 });
});
