import { beforeAll, expect, test } from "vitest";
import { withTerms, writeMails } from "../../src/mail/deliver/ingest.ts";
import { prepareMessage } from "../../src/mail/deliver/prepare.ts";
import { searchQuery } from "../../src/search/search-query.ts";
import { unprepared } from "../../src/store/core/sql.ts";
import type { Store } from "../../src/store/core/store.ts";
import type { EmailFilter } from "../../src/store/email-query/criteria.ts";
import { queryEmails } from "../../src/store/email-query/page.ts";
import { findMailboxes } from "../../src/store/mail/mailbox-places.ts";
import { explain } from "../support/explain.ts";
import { createTestAccount, createTestStore } from "../support/postgres.ts";

let store: Store;
let accountId: number;
let inbox: number;
const ran: { text: string; values: readonly unknown[] }[] = [];

beforeAll(async () => {
  store = await createTestStore({ observe: (text, values) => ran.push({ text, values }) });
  accountId = await createTestAccount(store);
  inbox = (await findMailboxes(store.reader(accountId, "server")))[0]!.id;
});

const letter = (body: string) => prepareMessage(Buffer.from(`From: a@example.com\r\nSubject: s\r\n\r\n${body}\r\n`));
/** A mail of several rows, each too large to share a database page. */
const long = letter(
  `start ${Array.from({ length: 1200 }, (_, n) => `common word w${n} ${n % 10 === 0 ? "again" : ""}`).join(" ")} end`,
);
const short = letter("common lines");

let second = 0;

async function arrive(count: number, isLong: (nth: number) => boolean): Promise<void> {
  const mails = Array.from({ length: count }, (_, nth) => ({
    blob: { sha256: Buffer.alloc(32, 1), day: "2026-01-01", size: 100 },
    prepared: {
      ...(isLong(nth) ? long : short),
      threadKeys: { keys: [{ idHash: Math.abs(second), subjectHash: 1 }], hasOwn: false, also: [] },
    },
    target: { mailboxIds: [inbox] },
    keywords: [],
    receivedAt: new Date(Date.UTC(2026, 0, 1) + second++ * 1000),
  }));
  await store.write(accountId, "server", (tx) => writeMails(tx, withTerms(accountId, mails)));
}

function filterOf(text: string): EmailFilter {
  const found = searchQuery(text, "text", accountId);
  if (typeof found === "string") throw new Error("no words");
  return { criterion: { kind: "terms", ...found } };
}

async function find(text: string, calculateTotal = false) {
  const query = { filter: filterOf(text), sort: [], collapseThreads: false, calculateTotal };
  const page = await queryEmails(store.reader(accountId, "server"), query, { position: 0, limit: 5 });
  if (typeof page === "string") throw new Error(page);
  return page;
}

/** The number of database pages that a search reads. */
async function price(text: string): Promise<number> {
  ran.length = 0;
  await find(text);
  let pages = 0;
  for (const { text: statement, values } of [...ran]) {
    const plan = await explain(store.database, statement, values);
    pages += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"];
  }
  return pages;
}

test("a page of a search costs the same when there are many older long mails", { timeout: 30_000 }, async () => {
  // Enough mails that the index has its full height.
  await arrive(80, () => true);
  await arrive(300, (nth) => nth % 30 === 0);
  const settle = () => store.database.run(unprepared("VACUUM ANALYZE search, search_part, email"), []);
  await settle();
  const texts = ["common", '"common word"', '"again common"', "common -start", "common -start -w7 -w8"];
  const before = new Map<string, number>();
  for (const text of texts) before.set(text, await price(text));
  const { total } = await find('"common word"', true);
  expect(total).toBe(90);

  const found = await Promise.all(texts.map(async (text) => (await find(text)).ids));
  // Older than all others, so outside the window.
  second = -1000;
  await arrive(150, () => true);
  await settle();
  for (const [index, text] of texts.entries()) {
    expect((await find(text)).ids, text).toEqual(found[index]);
    expect(await price(text), text).toBeLessThan(before.get(text)! * 1.2 + 50);
  }
  expect((await find('"common word"', true)).total).toBe(240);
});

test("when most of a window are long mails, only rows with all the words are read", { timeout: 30_000 }, async () => {
  second = 100_000;
  await arrive(200, (nth) => nth % 2 === 0);
  const { ids } = await find('"common word"');
  expect(ids).toHaveLength(5);
  expect((await find('"start common"')).ids).toHaveLength(5);
  expect((await find('"start again"')).ids).toEqual([]);
  expect((await find('"lines" -start')).ids).toHaveLength(5);
  const mixed = await find("common -lines");
  expect(mixed.ids).toHaveLength(5);
  // One row of each mail ends with this; all rows have the common words.
  expect(await price('"w1199 end"')).toBeLessThan((await price('"common word"')) * 0.8);
});
