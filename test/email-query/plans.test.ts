import { beforeAll, describe, expect, test } from "vitest";
import { withTerms, writeMails } from "../../src/mail/deliver/ingest.ts";
import { prepareMessage } from "../../src/mail/deliver/prepare.ts";
import { searchQuery } from "../../src/search/search-query.ts";
import { unprepared } from "../../src/store/core/sql.ts";
import type { Store } from "../../src/store/core/store.ts";
import type { Criterion, EmailFilter, EmailQuery, EmailWindow } from "../../src/store/email-query/criteria.ts";
import { queryEmails } from "../../src/store/email-query/page.ts";
import { findMailboxes } from "../../src/store/mail/mailbox-places.ts";
import { explain, nodesOf } from "../support/explain.ts";
import { createTestAccount, createTestStore } from "../support/postgres.ts";

const count = 4000;
const perThread = 4;
let store: Store;
let accountId: number;
let mailboxId: number;
const ran: { text: string; values: readonly unknown[] }[] = [];

beforeAll(async () => {
  store = await createTestStore({ observe: (text, values) => ran.push({ text, values }) });
  accountId = await createTestAccount(store);
  mailboxId = (await findMailboxes(store.reader(accountId, "server")))[0]!.id;
  const other = await createTestAccount(store);
  await fill(accountId);
  await fill(other);
  await store.database.run(
    unprepared("VACUUM ANALYZE email, email_mailbox, email_keyword, message, search, search_part"),
  );
}, 120_000);

async function fill(account: number): Promise<void> {
  const [inbox] = await findMailboxes(store.reader(account, "server"));
  const texts = Array.from({ length: 50 }, (_, i) =>
    prepareMessage(
      Buffer.from(
        `From: a@example.com\r\nSubject: s${i}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${
          ["common ", "東京都内 ", "京都東京 "][i % 3]
        }word${i}\r\n`,
      ),
    ),
  );
  for (let at = 0; at < count; at += 200) {
    const mails = Array.from({ length: 200 }, (_, n) => at + n).map((i) => ({
      blob: { sha256: Buffer.alloc(32, i % 200), day: "2026-01-01", size: 100 },
      prepared: {
        ...texts[i % 50]!,
        threadKeys: { keys: [{ idHash: Math.floor(i / perThread), subjectHash: 1 }], hasOwn: false, also: [] },
      },
      target: { mailboxIds: [inbox!.id] },
      keywords: [...(i % 10 === 0 ? [] : ["$seen"]), ...(i % 100 === 0 ? ["$flagged"] : [])],
      receivedAt: new Date(Date.UTC(2026, 0, 1) + i * 60_000),
    }));
    await store.write(account, "server", (tx) => writeMails(tx, withTerms(account, mails)));
  }
}

interface Cost {
  statements: number;
  /** Cost of the last statement. */
  buffers: number;
  /** The most rows that one node of its plan read. */
  rows: number;
  scans: string[];
}

const and = (...criteria: Criterion[]): EmailFilter => ({
  operator: "AND",
  conditions: criteria.map((criterion) => ({ criterion })),
});

/** Runs a query and returns the cost of its last statement. */
async function cost(query: Partial<EmailQuery>, window: EmailWindow): Promise<Cost> {
  const full = { filter: undefined, sort: [], collapseThreads: false, calculateTotal: false, ...query };
  const reader = store.reader(accountId, "server");
  // Each answer reads the state.
  await reader.standing();
  ran.length = 0;
  await queryEmails(reader, full, window);
  const statements = ran.length;
  const { text, values } = ran.at(-1)!;
  const top = await explain(store.database, text, values);
  const nodes = nodesOf(top);
  return {
    statements,
    buffers: top["Shared Hit Blocks"] + top["Shared Read Blocks"],
    rows: Math.max(
      ...nodes.map((node) => (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"]),
    ),
    scans: nodes.filter((node) => node["Index Name"]).map((node) => `${node["Node Type"]} ${node["Index Name"]}`),
  };
}

const inbox = (): Criterion => ({ kind: "inMailbox", mailboxId });
const unread: Criterion = { kind: "notKeyword", keyword: "$seen" };
const words = (text: string): Criterion => {
  const found = searchQuery(text, "text", accountId);
  if (typeof found === "string") throw new Error("no words");
  return { kind: "terms", ...found };
};

describe("a page of a mailbox of thousands", () => {
  test.each([0, 1500])("is read from the list's index alone, at position %i", async (position) => {
    const { statements, rows, scans, buffers } = await cost({ filter: and(inbox()) }, { position, limit: 30 });
    expect(statements).toBe(1);
    expect(scans).toEqual(["Index Only Scan email_mailbox_list"]);
    expect(rows).toBeLessThanOrEqual(position + 30);
    expect(buffers).toBeLessThan(40);
  });

  test("with its total is still one statement, and reads the stored count", async () => {
    const { statements, rows } = await cost(
      { filter: and(inbox()), collapseThreads: true, calculateTotal: true },
      { position: 0, limit: 30 },
    );
    expect(statements).toBe(1);
    expect(rows).toBeLessThanOrEqual(30);
  });

  test.each([0, 500])("with collapsed threads is read from the heads, at position %i", async (position) => {
    const { rows, scans, buffers } = await cost(
      { filter: and(inbox()), collapseThreads: true },
      { position, limit: 30 },
    );
    expect(scans).toEqual(["Index Only Scan email_mailbox_head"]);
    expect(rows).toBeLessThanOrEqual(position + 30);
    expect(buffers).toBeLessThan(30);
  });

  test("near the end is read from the end", async () => {
    const { rows, statements } = await cost({ filter: and(inbox()) }, { position: -40, limit: 30 });
    expect(statements).toBe(2);
    expect(rows).toBeLessThanOrEqual(40);
  });

  test("of unread mails is read from the index of unread mails", async () => {
    const plain = await cost({ filter: and(inbox(), unread) }, { position: 0, limit: 30 });
    expect(plain.scans).toEqual(["Index Only Scan email_mailbox_unread"]);
    expect(plain.rows).toBeLessThanOrEqual(30);
    const collapsed = await cost({ filter: and(inbox(), unread), collapseThreads: true }, { position: 0, limit: 30 });
    expect(collapsed.scans).toEqual(["Index Only Scan email_mailbox_unread"]);
    expect(collapsed.rows).toBeLessThanOrEqual(100);
  });

  test("of mails with a keyword is read from the keyword's rows", async () => {
    const { rows, scans } = await cost(
      { filter: and(inbox(), { kind: "hasKeyword", keyword: "$flagged" }) },
      { position: 0, limit: 10 },
    );
    expect(scans.some((scan) => scan.endsWith("email_keyword_pkey"))).toBe(true);
    expect(rows).toBeLessThanOrEqual(40);
  });

  test("at an anchor counts the mails before it", async () => {
    const page = await queryEmails(
      store.reader(accountId, "server"),
      { filter: and(inbox()), sort: [], collapseThreads: true, calculateTotal: false },
      { position: 200, limit: 1 },
    );
    const anchor = (page as { ids: number[] }).ids[0]!;
    const { statements, rows } = await cost(
      { filter: and(inbox()), collapseThreads: true },
      { anchor, anchorOffset: 0, limit: 30 },
    );
    expect(statements).toBe(2);
    expect(rows).toBeLessThanOrEqual(230);
  });
});

describe("a search", () => {
  test("for a common word reads the newest mails alone", async () => {
    const { statements, rows } = await cost({ filter: and(words("common")) }, { position: 0, limit: 30 });
    expect(statements).toBe(2);
    expect(rows).toBeLessThan(count / 2);
  });

  // The second word has thirty matches in the newest 2,000 mails; the third is rarer.
  test.each([
    ...["common", "word7", "word7 -common", "absent", "-common", "word7 common"],
    ...["東京都", "京都東 word8", "東京都 -word7", "京都内", "東京都内"],
  ])("for %s finds in its windows what the whole list contains", async (text) => {
    for (const filter of [and(words(text)), and(words(text), inbox())]) {
      for (const position of [0, 20, 150, 1000]) {
        const page = (options: Partial<EmailQuery>) =>
          queryEmails(
            store.reader(accountId, "server"),
            { filter, sort: [], collapseThreads: true, calculateTotal: false, ...options },
            { position, limit: 30 },
          ) as Promise<{ ids: number[] }>;
        const sort = [
          { by: { kind: "receivedAt" as const }, ascending: false, collation: undefined },
          { by: { kind: "size" as const }, ascending: true, collation: undefined },
        ];
        for (const collapseThreads of [true, false]) {
          // The second sort key never decides, but makes the whole list be ranked.
          const whole = await page({ collapseThreads, sort, calculateTotal: true });
          expect((await page({ collapseThreads })).ids).toEqual(whole.ids);
        }
      }
    }
  });

  test("for an absent word reads almost nothing", async () => {
    const { rows, scans, buffers } = await cost({ filter: and(words("absent")) }, { position: 0, limit: 30 });
    expect(scans).toContain("Bitmap Index Scan search_terms");
    expect(rows).toBeLessThanOrEqual(10);
    expect(buffers).toBeLessThan(30);
  });

  test("for a word of a script without spaces reads only mails that contain all pairs of its characters", async () => {
    const { statements, rows, scans } = await cost({ filter: and(words("東京都内")) }, { position: 0, limit: 30 });
    expect(statements).toBe(2);
    expect(scans).toContain("Bitmap Index Scan search_terms");
    expect(rows).toBeLessThan(count / 2);
  });
});
