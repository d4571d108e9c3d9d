import { randomInt } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { Ingest } from "../../src/mail/deliver/ingest.ts";
import { prepareMessage } from "../../src/mail/deliver/prepare.ts";
import { unprepared } from "../../src/store/core/sql.ts";
import type { Store } from "../../src/store/core/store.ts";
import { findMailboxes } from "../../src/store/mail/mailbox-places.ts";
import { createTestAccount, createTestStore } from "../support/postgres.ts";
import { conversations } from "./conversations.ts";

interface Mail {
  /** The conversation, and its thread. */
  thread: string;
  id: string;
  bytes: Buffer;
}

function mailsOf(name: string, no: number): Mail[] {
  return conversations[name]!.map((line) => {
    const [, digit = "1", id, how, refs = "", subject] = /^(?:(\d):)?(\w+)(?:([<~])([\w,]+))?> ?(.*)$/s.exec(line)!;
    const ids = refs.split(",").map((ref) => `<${ref}.${no}@example.org>`);
    const fields = [
      "From: Joe <joe@example.org>",
      `Subject: ${subject}`,
      `Message-ID: <${id}.${no}@example.org>`,
      ...(how === "<" ? [`References: ${ids.join("\r\n ")}`] : []),
      ...(how === "~" ? [`In-Reply-To: ${ids.join(" ")}`] : []),
    ];
    return {
      thread: `${name} ${digit}`,
      id: `${id}.${no}@example.org`,
      bytes: Buffer.from(`${fields.join("\r\n")}\r\n\r\nx\r\n`),
    };
  });
}

const all = Object.keys(conversations).map(mailsOf);
let store: Store;
beforeAll(async () => {
  store = await createTestStore();
});

function shuffled<T>(list: readonly T[]): T[] {
  const rest = [...list];
  return list.map(() => rest.splice(randomInt(rest.length), 1)[0]!);
}

const rows = unprepared<{ message_id: string; thread_id: number }>(`
  SELECT m.message_id[1] AS message_id, e.thread_id FROM email e
  JOIN message m ON m.user_id = $1 AND m.no = e.no WHERE e.user_id = $1`);

/** Delivers one mail of each conversation per write, or all in one write; returns each thread's Message-IDs. */
async function threadsOf(order: readonly Mail[][], inOne: boolean): Promise<string[]> {
  const account = await createTestAccount(store);
  const [inbox] = await findMailboxes(store.reader(account, "server"));
  const ingest = new Ingest(store);
  const longest = Math.max(...order.map((mails) => mails.length));
  const rounds = Array.from({ length: longest }, (_, round) => order.flatMap((mails) => mails.slice(round, round + 1)));
  for (const round of inOne ? [rounds.flat()] : rounds) {
    const mails = round.map(({ bytes }, no) => ({
      blob: { sha256: Buffer.alloc(32, no), day: "2026-01-01", size: bytes.length },
      prepared: prepareMessage(bytes),
      target: { mailboxIds: [inbox!.id] },
      keywords: [],
      receivedAt: new Date("2026-01-01T00:00:00Z"),
    }));
    await ingest.addAll(account, mails);
  }
  const found = await store.reader(account, "server").run(rows, [account]);
  return [...Map.groupBy(found, (row) => row.thread_id).values()]
    .map((mails) =>
      mails
        .map((mail) => mail.message_id)
        .sort()
        .join(" "),
    )
    .sort();
}

const expected = [...Map.groupBy(all.flat(), ({ thread }) => thread).values()]
  .map((mails) =>
    mails
      .map(({ id }) => id)
      .sort()
      .join(" "),
  )
  .sort();

test("there are enough conversations, each with a unique name", () => {
  expect(all.length).toBeGreaterThanOrEqual(60);
});

test.each([
  ["as they were written", all, false],
  ["the last first", all.map((mails) => mails.toReversed()), false],
  ["in any order", all.map(shuffled), false],
  ["all at once", all, true],
  ["all at once, in any order", shuffled(all.map(shuffled)), true],
] as const)(
  "conversations that arrive %s become one thread each, as people see them",
  { timeout: 20_000 },
  async (_, order, inOne) => {
    expect(await threadsOf(order, inOne)).toEqual(expected);
  },
);
