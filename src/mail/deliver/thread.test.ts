import { beforeAll, describe, expect, test } from "vitest";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { baseSubject } from "../../mime/subject.ts";
import { unprepared } from "../../store/core/sql.ts";
import type { Store } from "../../store/core/store.ts";
import { destroyEmails, type EmailRow } from "../../store/mail/emails.ts";
import { insertSubmissions } from "../../store/queues/submissions.ts";
import { Ingest, type NewMail, type Outcome } from "./ingest.ts";
import { prepareMessage } from "./prepare.ts";
import { messageIdHash } from "./thread.ts";

let store: Store;
let ingest: Ingest;
beforeAll(async () => {
  store = await createTestStore();
  ingest = new Ingest(store);
});

interface Shape {
  id: string;
  subject?: string;
  references?: string[];
}

let blobs = 0;

function mailOf(bytes: Buffer): NewMail {
  const sha256 = Buffer.alloc(32);
  sha256.writeUInt32BE(++blobs);
  const blob = { sha256, day: "2026-01-01", size: bytes.length };
  const receivedAt = new Date("2026-01-01T00:00:00Z");
  return { blob, prepared: prepareMessage(bytes), target: { role: "inbox" }, keywords: [], receivedAt };
}

function mail({ id, subject = "Hello", references = [] }: Shape): NewMail {
  const lines = ["From: Joe <joe@example.org>", `Subject: ${subject}`, `Message-ID: <${id}@example.org>`];
  if (references.length > 0) lines.push(`References: ${references.map((ref) => `<${ref}@example.org>`).join("\r\n ")}`);
  return mailOf(Buffer.from([...lines, "", "x", ""].join("\r\n")));
}

function rowOf(outcome: Outcome): EmailRow {
  if (!("email" in outcome)) throw new Error(JSON.stringify(outcome));
  return outcome.email;
}

const addMail = async (account: number, one: NewMail) => rowOf(await ingest.add(account, one));
const add = (account: number, shape: Shape) => addMail(account, mail(shape));
const addAll = async (account: number, shapes: Shape[]) =>
  (await ingest.addAll(account, shapes.map(mail))).outcomes.map(rowOf);
const sizesOf = (rows: EmailRow[]) => [...Map.groupBy(rows, (row) => row.threadId).values()].map((all) => all.length);

/** A long conversation: each mail refers to the last 200 before it. */
const sliding = (from: number, count: number): Shape[] =>
  Array.from({ length: count }, (_, n) => from + n).map((n) => ({
    id: `m${n}`,
    subject: n === 0 ? "Hello" : "Re: Hello",
    references: Array.from({ length: Math.min(n, 200) }, (_, back) => `m${n - Math.min(n, 200) + back}`),
  }));

describe("threads that are full", () => {
  test("600 mails that refer to the last 200 before them form two threads, in whatever order they arrive", async () => {
    const account = await createTestAccount(store);
    expect(sizesOf(await addAll(account, sliding(0, 600)))).toEqual([500, 100]);
    const other = await createTestAccount(store);
    const rows = await addAll(other, sliding(0, 490));
    for (const shape of sliding(490, 60)) rows.push(await add(other, shape));
    rows.push(...(await addAll(other, sliding(550, 50))));
    expect(sizesOf(rows)).toEqual([500, 100]);
  });

  test("replies to any mail of a full thread continue in the next one, and when that is full in the one after it", async () => {
    const account = await createTestAccount(store);
    const answers = (from: number, count: number) =>
      addAll(
        account,
        Array.from({ length: count }, (_, n) => ({
          id: `a${from + n}`,
          subject: "AW: Hello",
          references: [`m${(from + n) % 500}`],
        })),
      );
    const [first] = await addAll(account, sliding(0, 500));
    const next = (await answers(0, 1))[0]!.threadId;
    expect(next).not.toBe(first!.threadId);
    for (const from of [1, 2, 3]) expect((await answers(from, 1))[0]!.threadId).toBe(next);
    expect(sizesOf(await answers(4, 496))).toEqual([496]);
    const third = (await answers(700, 1))[0]!.threadId;
    expect([first!.threadId, next]).not.toContain(third);
    expect((await answers(710, 3)).map((row) => row.threadId)).toEqual([third, third, third]);
  });

  test("a thread with room again continues, and a removed one has no next thread", async () => {
    const account = await createTestAccount(store);
    const rows = await addAll(account, sliding(0, 500));
    const next = await add(account, { id: "n", references: ["m7"] });
    await store.write(account, "server", (tx) => destroyEmails(tx, [next]));
    const again = await add(account, { id: "o", references: ["m8"] });
    expect([rows[0]!.threadId, next.threadId]).not.toContain(again.threadId);
    await store.write(account, "server", (tx) => destroyEmails(tx, rows.slice(0, 2)));
    expect((await add(account, { id: "p", references: ["m9"] })).threadId).toBe(rows[0]!.threadId);
  });

  test("a mail that belongs to a full thread and to a small one joins the small one with the full one's next", async () => {
    const account = await createTestAccount(store);
    await addAll(account, sliding(0, 500));
    const next = await add(account, { id: "n1", references: ["m7"] });
    await add(account, { id: "n2", references: ["m9"] });
    const small = await add(account, { id: "s" });
    const both = await add(account, { id: "b", references: ["m8", "s"] });
    expect(both.threadId).toBe(next.threadId);
    expect(both.threadId).not.toBe(small.threadId);
    expect((await add(account, { id: "c", references: ["s"] })).threadId).toBe(next.threadId);
  });
});

test.each([50, 300, 549])("of 601 references, number %d is known", async (at) => {
  const account = await createTestAccount(store);
  const known = await add(account, { id: `r${at}` });
  const references = Array.from({ length: 601 }, (_, n) => `r${n}`);
  expect((await add(account, { id: "late", subject: "Re: Hello", references })).threadId).toBe(known.threadId);
});

test.each(["References", "In-Reply-To"])("of several fields %s, all are known, and the last is shown", async (name) => {
  const account = await createTestAccount(store);
  const [first, last] = await addAll(account, [{ id: "a" }, { id: "b" }]);
  const lines = [
    "Subject: Re: Hello",
    `${name}: <a@example.org>`,
    `${name}: none`,
    `${name}: <b@example.org>`,
    "",
    "x",
  ];
  const one = mailOf(Buffer.from(lines.join("\r\n")));
  expect(one.prepared.summary[name === "References" ? "references" : "inReplyTo"]).toEqual(["b@example.org"]);
  const { threadId } = await addMail(account, one);
  for (const id of ["a", "b"]) {
    expect((await add(account, { id: `after-${id}`, references: [id] })).threadId).toBe(threadId);
  }
  expect([first!.threadId, last!.threadId]).toContain(threadId);
});

describe("mail that an earlier version stored", () => {
  /** Its keys had the base subject of RFC 5256. */
  function former(shape: Shape): NewMail {
    const one = mail(shape);
    const subjectHash = messageIdHash(baseSubject(shape.subject ?? "Hello").toLowerCase());
    const ids = [shape.id, ...(shape.references ?? [])].map((id) => messageIdHash(`${id}@example.org`));
    const threadKeys = { keys: ids.map((idHash) => ({ idHash, subjectHash })), hasOwn: true, also: [] };
    return { ...one, prepared: { ...one.prepared, threadKeys } };
  }

  test.each([
    ["Hello", "Re: Hello"],
    ["Hello", "AW: WG: [list] Hello"],
    ["Project Alpha", "Antw: Project Alpha"],
    ["Invoice: 5", "Re: Invoice: 5"],
    ["Invoice: 5", "AW: Invoice: 5"],
    ["AW: Hello", "RE: AW: Hello"],
    ["10:30 call", "SV: 10:30 call"],
    ["", "Re: "],
  ])("%j is joined by %j, and that by the next", async (subject, answer) => {
    const account = await createTestAccount(store);
    const old = await addMail(account, former({ id: "a", subject, references: ["z"] }));
    expect((await add(account, { id: "b", subject: answer, references: ["a"] })).threadId).toBe(old.threadId);
    expect((await add(account, { id: "c", subject: `Odp: ${answer}`, references: ["b"] })).threadId).toBe(old.threadId);
    expect((await add(account, { id: "d", subject: "Other", references: ["a"] })).threadId).not.toBe(old.threadId);
  });
});

describe("reports", () => {
  const finish = unprepared("UPDATE submission SET undo_status = 'final' WHERE user_id = $1");
  const status = (recipient: string) =>
    `Reporting-MTA: dns; mx.far.test\r\n\r\n${recipient}\r\nAction: failed\r\nStatus: 5.1.1`;
  const original = "From: ann@example.com\r\nMessage-ID: <sent@example.org>\r\nSubject: Hello\r\n";

  interface ReportShape {
    id: string;
    fields: string;
    type?: string;
    original?: string;
    originalType?: string;
    header?: string;
    subtype?: string;
  }

  function report(shape: ReportShape): NewMail {
    const { id, fields, type = "message/delivery-status", originalType = "text/rfc822-headers", header = "" } = shape;
    const parts = [`Content-Type: text/plain\r\n\r\nIt failed.`, `Content-Type: ${type}\r\n\r\n${fields}`];
    if (shape.original !== undefined) parts.push(`Content-Type: ${originalType}\r\n\r\n${shape.original}`);
    const lines = [
      ...["From: MAILER-DAEMON@far.test", "Subject: Undelivered Mail", `Message-ID: <${id}@far.test>`],
      `${header}Content-Type: multipart/${shape.subtype ?? "report"}; boundary=b`,
    ];
    return mailOf(Buffer.from(`${lines.join("\r\n")}\r\n\r\n--b\r\n${parts.join("\r\n--b\r\n")}\r\n--b--\r\n`));
  }

  /** An account that has sent a mail to Bob. */
  async function sender(): Promise<{ account: number; sent: EmailRow }> {
    const account = await createTestAccount(store);
    const one = mail({ id: "sent" });
    const sent = await addMail(account, one);
    const address = { email: "Bob@Far.test", parameters: null };
    const envelope = { mailFrom: { email: "ann@example.com", parameters: null }, rcptTo: [address] };
    const recipients = [{ address, smtpReply: "250 2.1.5 queued" }];
    const { id: emailId, threadId } = sent;
    await store.write(account, "server", (tx) =>
      insertSubmissions(tx, [
        { id: 90_000, identityId: 1, emailId, threadId, envelope, sendAt: tx.now, blob: one.blob, recipients },
      ]),
    );
    return { account, sent };
  }

  const final = "Final-Recipient: rfc822; bob@far.test";
  test.each<[string, Omit<ReportShape, "id">]>([
    ["with the header of the mail", { fields: status(final), original }],
    [
      "with the whole mail",
      { fields: status(final), original: `${original}\r\nhello`, originalType: "message/rfc822" },
    ],
    [
      "that names whom the mail was sent to first",
      {
        fields: status(`Original-Recipient: rfc822;bob@far.test\r\nFinal-Recipient: rfc822; robert@near.test`),
        original,
      },
    ],
    [
      "of two recipients",
      { fields: `${status("Final-Recipient: rfc822; al@far.test")}\r\n\r\n${final}\r\nAction: failed`, original },
    ],
    ["whose recipient is folded", { fields: status("Final-Recipient: rfc822;\r\n <BOB@FAR.TEST>"), original }],
    [
      "of a server with UTF-8",
      {
        fields: status("Final-Recipient: utf-8; b\\x{6F}b@far.test"),
        original,
        type: "message/global-delivery-status",
        originalType: "message/global-headers",
      },
    ],
    [
      "that refers to the mail in its own header alone",
      { fields: status(final), header: "In-Reply-To: <sent@example.org>\r\n" },
    ],
    [
      "in base64",
      {
        fields: status(final),
        original: Buffer.from(original).toString("base64"),
        originalType: "message/rfc822\r\nContent-Transfer-Encoding: base64",
      },
    ],
    ["in multipart/mixed", { fields: status(final), original, subtype: "mixed" }],
    [
      "of a reader",
      {
        fields: `${final}\r\nOriginal-Message-ID: <sent@example.org>\r\nDisposition: manual-action/MDN-sent-manually; displayed`,
        type: "message/disposition-notification",
      },
    ],
  ])("one %s joins the mail it is about", async (_, shape) => {
    const { account, sent } = await sender();
    const row = await addMail(account, report({ id: "dsn", ...shape }));
    expect(row.threadId).toBe(sent.threadId);
  });

  test.each<[string, Omit<ReportShape, "id">]>([
    ["another recipient", { fields: status("Final-Recipient: rfc822; eve@far.test"), original }],
    ["no recipient", { fields: status("X: y"), original }],
    ["another mail", { fields: status(final), original: original.replace("sent@", "guessed@") }],
    ["no mail", { fields: status(final) }],
    [
      "another recipient, though it has the subject and refers to the mail",
      {
        fields: status("Final-Recipient: rfc822; eve@far.test"),
        header: "Subject: Re: Hello\r\nReferences: <sent@example.org>\r\n",
        original,
      },
    ],
    [
      "another recipient in multipart/mixed, though it has the subject and refers to the mail",
      {
        fields: status("Final-Recipient: rfc822; eve@far.test"),
        header: "Subject: Re: Hello\r\nReferences: <sent@example.org>\r\n",
        original,
        subtype: "mixed",
      },
    ],
  ])("one of %s is a thread of its own", async (_, shape) => {
    const { account, sent } = await sender();
    const row = await addMail(account, report({ id: "dsn", ...shape }));
    expect(row.threadId).not.toBe(sent.threadId);
    // And attracts no other mail.
    const answer = await add(account, { id: "reply", subject: "Re: Hello", references: ["sent"] });
    expect(answer.threadId).toBe(sent.threadId);
  });

  test("a report with the Message-ID and the subject of the mail itself is a thread of its own", async () => {
    const { account, sent } = await sender();
    const header = "Subject: Hello\r\nMessage-ID: <sent@example.org>\r\n";
    const fields = status("Final-Recipient: rfc822; eve@far.test");
    const row = await addMail(account, report({ id: "fake", fields, header, original }));
    expect(row.threadId).not.toBe(sent.threadId);
    expect((await add(account, { id: "reply", references: ["sent"] })).threadId).toBe(sent.threadId);
  });

  test("a report that another account gets is a thread of its own, and joins nothing there", async () => {
    await sender();
    const account = await createTestAccount(store);
    const copy = await add(account, { id: "sent" });
    const row = await addMail(account, report({ id: "dsn", fields: status(final), original }));
    expect(row.threadId).not.toBe(copy.threadId);
  });

  async function joinedWithAnother(account: number): Promise<EmailRow> {
    await add(account, { id: "x" });
    await add(account, { id: "y", references: ["x"] });
    return add(account, { id: "late", references: ["x", "sent"] });
  }

  test("a report about a mail that is still to be sent, and so keeps its thread, joins it", async () => {
    const { account, sent } = await sender();
    expect((await joinedWithAnother(account)).threadId).not.toBe(sent.threadId);
    const row = await addMail(account, report({ id: "dsn", fields: status(final), original }));
    expect(row.threadId).toBe(sent.threadId);
  });

  test("a report about a mail that was moved to another thread meanwhile joins it there", async () => {
    const { account, sent } = await sender();
    await store.write(account, "server", (tx) => tx.run(finish, [account]));
    const joined = await joinedWithAnother(account);
    expect(joined.threadId).not.toBe(sent.threadId);
    const row = await addMail(account, report({ id: "dsn", fields: status(final), original }));
    expect(row.threadId).toBe(joined.threadId);
  });

  test("a reply to a report joins its thread", async () => {
    const { account, sent } = await sender();
    await addMail(account, report({ id: "dsn", fields: status(final), original }));
    const lines = ["Message-ID: <q@example.org>", "Subject: AW: Undelivered Mail", "References: <dsn@far.test>"];
    const answer = await addMail(account, mailOf(Buffer.from(`${lines.join("\r\n")}\r\n\r\nx`)));
    expect(answer.threadId).toBe(sent.threadId);
  });
});
