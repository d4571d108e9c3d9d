import { createHash } from "node:crypto";
import { type NewMail, withTerms, writeMails } from "../../src/mail/deliver/ingest.ts";
import { prepareMessage } from "../../src/mail/deliver/prepare.ts";
import { unprepared } from "../../src/store/core/sql.ts";
import type { Store } from "../../src/store/core/store.ts";
import { destroyEmails, findEmails, updateEmails } from "../../src/store/mail/emails.ts";
import type { Chance } from "./random.ts";

export interface Person {
  name: string;
  email: string;
}

/** The content of a message. */
export interface Content {
  from: Person;
  to: Person[];
  cc: Person[];
  bcc: Person[];
  subject: string;
  base: string;
  body: string;
  attachment: string | undefined;
  sentAt: Date | undefined;
  /** Name and decoded value. */
  extra: [string, string][];
  size: number;
}

export interface ModelEmail {
  id: number;
  no: number;
  threadId: number;
  receivedAt: number;
  mailboxIds: number[];
  keywords: string[];
  content: Content;
}

export const people: Person[] = [
  { name: "Anna Berg", email: "anna@example.com" },
  { name: "bob Stone", email: "bob.stone@example.org" },
  { name: "Zoë Çelik", email: "zoe@example.net" },
  { name: "", email: "team@lists.example.com" },
  { name: "10 Downing", email: "pm@example.com" },
  { name: "2 Fast", email: "fast@example.com" },
  { name: "山田", email: "yamada@example.jp" },
];
export const vocabulary = ["invoice", "invoices", "meeting", "the", "of", "lunch", "Größe", "report", "42", "caffè"];
export const keywords = ["$seen", "$flagged", "$draft", "$answered", "work", "later"];
const extras: [string, string][] = [
  ["X-Priority", "1 (Highest)"],
  ["List-Id", "The Posthorn list"],
  ["X-Note", "Ünïcode note"],
];
const start = Date.UTC(2026, 0, 1);

const encoded = (text: string) => `=?utf-8?B?${Buffer.from(text).toString("base64")}?=`;
const phrase = (text: string) => (/^[\x20-\x7e]*$/.test(text) ? text : encoded(text));
const address = ({ name, email }: Person) => (name === "" ? email : `${phrase(name)} <${email}>`);

/** An account with random mails; the content of each is known by its message number. */
export class World {
  readonly store: Store;
  readonly accountId: number;
  readonly chance: Chance;
  readonly mailboxIds: number[];
  readonly contents = new Map<number, Content>();
  emails: ModelEmail[] = [];
  #serial = 0;
  readonly #messageIds: { id: string; base: string }[] = [];

  constructor(store: Store, accountId: number, mailboxIds: number[], chance: Chance) {
    this.store = store;
    this.accountId = accountId;
    this.mailboxIds = mailboxIds;
    this.chance = chance;
  }

  /** Delivers mails; some reply to others, a few join two threads. */
  async arrive(count: number): Promise<void> {
    const made = Array.from({ length: count }, () => this.#mail());
    const outcomes = await this.store.write(this.accountId, "server", (tx) =>
      writeMails(
        tx,
        withTerms(
          this.accountId,
          made.map(({ mail }) => mail),
        ),
      ),
    );
    outcomes.forEach((outcome, index) => {
      if (!("email" in outcome)) throw new Error(`not written: ${JSON.stringify(outcome)}`);
      this.contents.set(outcome.email.no, made[index]!.content);
    });
    await this.load();
  }

  /** Moves and flags random mails. */
  async change(count: number): Promise<void> {
    const { chance } = this;
    const ids = [...new Set(Array.from({ length: count }, () => chance.pick(this.emails).id))];
    await this.store.write(this.accountId, "server", async (tx) => {
      const updates = (await findEmails(tx, ids)).map((before) => ({
        before,
        mailboxIds: chance.maybe(0.4) ? this.#places() : before.mailboxIds,
        keywords: chance.maybe(0.7) ? this.#keywords() : before.keywords,
      }));
      await updateEmails(tx, updates);
    });
    await this.load();
  }

  async destroy(count: number): Promise<void> {
    const ids = [...new Set(Array.from({ length: count }, () => this.chance.pick(this.emails).id))];
    await this.store.write(this.accountId, "server", async (tx) => {
      await destroyEmails(tx, await findEmails(tx, ids));
    });
    await this.load();
  }

  /** Reads the mutable properties directly from the rows. */
  async load(): Promise<void> {
    type Row = {
      id: number;
      no: number;
      thread_id: number;
      received_at: Date;
      mailbox_ids: number[];
      keywords: string[];
    };
    const rows = await this.store
      .reader(this.accountId, "server")
      .run(
        unprepared<Row>("SELECT id, no, thread_id, received_at, mailbox_ids, keywords FROM email WHERE user_id = $1"),
        [this.accountId],
      );
    this.emails = rows.map((row) => ({
      id: row.id,
      no: row.no,
      threadId: row.thread_id,
      receivedAt: row.received_at.getTime(),
      mailboxIds: row.mailbox_ids,
      keywords: row.keywords,
      content: this.contents.get(row.no)!,
    }));
  }

  #places(): number[] {
    const some = this.chance.some(this.mailboxIds, 0.35);
    return some.length > 0 ? some : [this.chance.pick(this.mailboxIds)];
  }

  #keywords(): string[] {
    return this.chance.some(keywords, 0.35).sort();
  }

  #text(words: number): string {
    return Array.from({ length: words }, () => this.chance.pick(vocabulary)).join(" ");
  }

  /** Uses one word too often for one row of the index, so the words before and after are in different rows. */
  #longText(): string {
    const { chance } = this;
    const many = Array.from({ length: chance.int(256, 600) }, (_, n) => (chance.maybe(0.9) ? "again" : `again ${n}`));
    return [this.#text(chance.int(0, 6)), ...many, this.#text(chance.int(0, 6))].join(" ");
  }

  #crowd(): Person[] {
    return Array.from({ length: 260 }, (_, n) => ({ name: "", email: `p${n}@crowd.example` }));
  }

  #mail(): { mail: NewMail; content: Content } {
    const { chance } = this;
    const id = `<m${++this.#serial}@example.com>`;
    const known = this.#messageIds;
    const parents = known.length > 0 && chance.maybe(0.6) ? [chance.pick(known)] : [];
    const base = parents[0]?.base ?? this.#text(chance.int(0, 3));
    // A mail that names two messages of one subject joins their threads.
    const twin = known.find((one) => one.base === base && one !== parents[0]);
    if (twin && chance.maybe(0.3)) parents.push(twin);
    known.push({ id, base });
    const content: Content = {
      from: chance.pick(people),
      to: chance.maybe(0.03) ? this.#crowd() : chance.some(people, 0.3),
      cc: chance.some(people, 0.1),
      bcc: chance.some(people, 0.1),
      subject: parents.length > 0 ? `Re: ${base}` : base,
      base,
      body: chance.maybe(0.1) ? this.#longText() : this.#text(chance.int(0, 12)),
      attachment: chance.maybe(0.2) ? chance.pick(["report.pdf", "photo.jpg"]) : undefined,
      sentAt: chance.maybe(0.9) ? new Date(start + chance.int(0, 40) * 1000) : undefined,
      extra: chance.some(extras, 0.3),
      size: 0,
    };
    const bytes = Buffer.from(
      render(
        content,
        id,
        parents.map((parent) => parent.id),
      ),
    );
    content.size = bytes.length;
    const sha256 = createHash("sha256").update(bytes).digest();
    const mail: NewMail = {
      blob: { sha256, day: "2026-01-01", size: bytes.length },
      prepared: prepareMessage(bytes),
      target: { mailboxIds: this.#places() },
      keywords: this.#keywords(),
      // A range of few seconds, so that many emails tie.
      receivedAt: new Date(start + chance.int(0, 60) * 1000),
    };
    return { mail, content };
  }
}

function render(content: Content, id: string, parents: string[]): string {
  const list = (name: string, all: Person[]) => (all.length > 0 ? [`${name}: ${all.map(address).join(", ")}`] : []);
  const header = [
    `Message-ID: ${id}`,
    `From: ${address(content.from)}`,
    ...list("To", content.to),
    ...list("Cc", content.cc),
    ...list("Bcc", content.bcc),
    ...(content.subject === "" ? [] : [`Subject: ${phrase(content.subject)}`]),
    ...(content.sentAt ? [`Date: ${content.sentAt.toUTCString().replace("GMT", "+0000")}`] : []),
    ...(parents.length > 0 ? [`References: ${parents.join(" ")}`] : []),
    ...content.extra.map(([name, value]) => `${name}: ${phrase(value)}`),
    "MIME-Version: 1.0",
  ];
  const text = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit";
  if (content.attachment === undefined) return `${header.join("\r\n")}\r\n${text}\r\n\r\n${content.body}\r\n`;
  const file = `Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="${content.attachment}"`;
  return `${header.join("\r\n")}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${text}\r\n\r\n${content.body}\r\n--b\r\n${file}\r\n\r\nAAAA\r\n--b--\r\n`;
}
