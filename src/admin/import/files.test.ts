import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { keywordOf } from "./keywords.ts";
import { maildirSource } from "./maildir.ts";
import { mboxSource } from "./mbox.ts";
import { type Dialect, dialects, lookAt } from "./mbox-dialect.ts";
import { decodeMailboxName } from "./modified-utf7.ts";
import { mailboxName } from "./places.ts";
import type { Earlier, Source, SourceItem, SourceMail } from "./source.ts";
import { labelsIn, ofLabels, takeoutSource } from "./takeout.ts";

const folder = mkdtempSync(join(tmpdir(), "posthorn-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const nothingEarlier: Earlier = { state: {}, known: async () => new Set(), async *keysOf() {} };

async function itemsOf(source: Source): Promise<SourceItem[]> {
  const items: SourceItem[] = [];
  for await (const item of source.items(nothingEarlier)) items.push(item);
  return items;
}

async function mailsOf(source: Source): Promise<SourceMail[]> {
  return (await itemsOf(source)).filter((item) => item.kind === "mail");
}

const texts = (mails: SourceMail[]) => mails.map(({ raw }) => raw!.toString("latin1"));
const crlf = (text: string) => text.replaceAll("\n", "\r\n");

let files = 0;
function file(text: string): string {
  const path = join(folder, `${++files}.mbox`);
  writeFileSync(path, text, "latin1");
  return path;
}

const line = "From ann@example.org Tue Dec  1 15:00:00 2026\n";
const mail = (name: string, body: string) => `Subject: ${name}\nMessage-ID: <${name}@x.test>\n\n${body}`;
/** Two look like what parts messages; one of them with a date. */
const quoting = mail("quoting", `Hello,\n\nFrom now on\n\n${line}is how it begins.\n`);
const twice = mail("twice", "He wrote:\n\n>From then on\n>>From before\n");
const large = mail("large", `${"x".repeat(70)}\n`.repeat(40_000));
const plain = mail("plain", "Hello.\n");

/** As the dialects' descriptions say, by other words than those that read it. */
function written(message: string, dialect: Dialect): string {
  const [header, ...rest] = message.split("\n\n");
  const lines = rest.join("\n\n").split("\n");
  const quoted = lines.map((one) => {
    if (dialect === "mboxrd") return /^>*From /.test(one) ? `>${one}` : one;
    return dialect !== "mboxcl2" && one.startsWith("From ") ? `>${one}` : one;
  });
  const body = quoted.join("\n");
  const length = dialect.startsWith("mboxcl") ? `\nContent-Length: ${body.length}` : "";
  return `${line}${header}${length}\n\n${body}\n`;
}

describe("mbox", () => {
  test.each(dialects)("%s is told by looking, and read as it was written", async (dialect) => {
    const messages =
      dialect === "mboxrd" || dialect === "mboxcl2" ? [quoting, twice, large, plain] : [quoting, large, plain];
    const path = file(messages.map((message) => written(message, dialect)).join(""));
    expect(await lookAt(path)).toEqual({ dialect, messages: messages.length });
    const source = await mboxSource(path, { isInto: false });
    expect(texts(await mailsOf(source))).toEqual(messages.map(crlf));
  });

  test("a dialect can be said: mboxo leaves what is quoted twice", async () => {
    const path = file(`${line}Subject: a\n\n>From x\n>>From y\n\n`);
    const read = async (dialect: Dialect) => texts(await mailsOf(await mboxSource(path, { dialect, isInto: true })))[0];
    expect(await read("mboxrd")).toContain("\r\nFrom x\r\n>From y\r\n");
    expect(await read("mboxo")).toContain("\r\nFrom x\r\n>>From y\r\n");
    expect(await read("mboxcl2")).toContain("\r\n>From x\r\n>>From y\r\n");
  });

  test("line breaks of Windows, a Content-Length that is wrong, no empty line at the end, nothing at all", async () => {
    const windows = file(crlf(`${line}${plain}\n${line}${mail("second", "2\n")}`));
    expect(texts(await mailsOf(await mboxSource(windows, { isInto: true })))).toEqual(
      [plain, mail("second", "2\n")].map(crlf),
    );
    const wrong = file(`${line}Content-Length: 3\n${plain}\n${line}Content-Length: 99999\n${plain}`);
    expect(texts(await mailsOf(await mboxSource(wrong, { isInto: true })))).toEqual(
      [`Content-Length: 3\n${plain}`, `Content-Length: 99999\n${plain}`].map(crlf),
    );
    expect(await mailsOf(await mboxSource(file(""), { isInto: true }))).toEqual([]);
  });

  test("a message that is empty or no message is one all the same; text that looks like a From_ line parts nothing", async () => {
    const damaged = file(
      `${line}\n${line}${"\0\u0001"}garbage\nmore\n\n${line}${plain}From here to there 10:00 or so\n`,
    );
    expect(texts(await mailsOf(await mboxSource(damaged, { isInto: true })))).toEqual([
      "",
      crlf("\0\u0001garbage\nmore\n"),
      crlf(`${plain}From here to there 10:00 or so\n`),
    ]);
  });

  test("flags of Unix and of Thunderbird, which are no part of the message; dates", async () => {
    const received = "Received: from a by b; Fri, 05 Jan 2024 10:00:00 +0100\n";
    const path = file(
      `${line}Status: RO\nX-Status: AF\nX-Keywords: Work $Forwarded\n${plain}\n` +
        `${line}X-Mozilla-Status: 0005\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: $label1\n${received}${mail("two", "2\n")}\n` +
        `${line}X-Mozilla-Status: 0009\n${mail("expunged", "3\n")}\n${line}Status: D\n${mail("deleted", "4\n")}\n`,
    );
    const items = await itemsOf(await mboxSource(path, { isInto: true }));
    const mails = items.filter((item) => item.kind === "mail");
    expect(texts(mails)).toEqual([plain, received + mail("two", "2\n"), mail("deleted", "4\n")].map(crlf));
    expect(mails.map(({ keywords }) => keywords)).toEqual([
      ["$answered", "$flagged", "$forwarded", "$seen", "work"],
      ["$flagged", "$label1", "$seen"],
      [],
    ]);
    expect(mails.map(({ receivedAt }) => receivedAt!.toISOString())).toEqual([
      "2026-12-01T15:00:00.000Z",
      "2024-01-05T09:00:00.000Z",
      "2026-12-01T15:00:00.000Z",
    ]);
    expect(mails[2]!.mailboxes).toEqual([{ path: ["Trash"], role: "trash" }]);
    expect(items.filter(({ kind }) => kind === "left")).toHaveLength(1);
  });

  test("a folder: Thunderbird's .sbd, Apple's .mbox; the same message in the same mailbox has one key", async () => {
    const top = join(folder, "tree");
    mkdirSync(join(top, "Archives.sbd"), { recursive: true });
    mkdirSync(join(top, "Work.mbox"));
    const text = `${line}${plain}\n`;
    for (const name of ["Inbox", "Archives.sbd/2024", "Work.mbox/mbox"]) writeFileSync(join(top, name), text);
    writeFileSync(join(top, "Inbox.msf"), '// <!-- <mdb:mork:z v="1.4"/> -->');
    writeFileSync(join(top, "Gesendet"), text + text);
    const mails = await mailsOf(await mboxSource(top, { isInto: false }));
    expect(mails.map(({ mailboxes }) => mailboxes[0])).toEqual([
      { path: ["Archives", "2024"], role: undefined },
      { path: ["Gesendet"], role: "sent" },
      { path: ["Gesendet"], role: "sent" },
      { path: ["Inbox"], role: "inbox" },
      { path: ["Work"], role: undefined },
    ]);
    expect(new Set(mails.map(({ key }) => key)).size).toBe(4);
  });
});

test("Maildir++ and Dovecot's fs: folders, flags, keywords, the earlier of the two dates", async () => {
  const top = join(folder, "Maildir");
  const put = (at: string, name: string, date: string) => {
    for (const sub of ["cur", "new", "tmp"]) mkdirSync(join(top, at, sub), { recursive: true });
    writeFileSync(join(top, at, name), plain);
    utimesSync(join(top, at, name), new Date(date), new Date(date));
  };
  put("", "cur/1700000000.M1P1.host,S=70,W=75:2,FRSab", "2020-02-02T02:02:02Z");
  put("", "new/1700000001.M2P1.host", "2025-02-02T02:02:02Z");
  put(".Entw&APw-rfe", "cur/1700000002.a:2,D", "2020-01-01T00:00:00Z");
  put(".Work.2024", "cur/1700000003.a:2,PT", "2020-01-01T00:00:00Z");
  put("Lists/jmap", "cur/1700000004.a!2,S", "2020-01-01T00:00:00Z");
  writeFileSync(join(top, "dovecot-keywords"), "0 $Junk\n1 Project-X\n");
  writeFileSync(join(top, ".Work.2024", "maildirfolder"), "");
  writeFileSync(join(top, "tmp", "1700000009.half"), "Subject: ha");
  const mails = await mailsOf(await maildirSource(top));
  expect(
    mails.map(({ mailboxes, keywords, receivedAt }) => [mailboxes[0]!.path, keywords, receivedAt!.toISOString()]),
  ).toEqual([
    [[], ["$answered", "$flagged", "$junk", "$seen", "project-x"], "2020-02-02T02:02:02.000Z"],
    [[], [], "2023-11-14T22:13:21.000Z"],
    [["Entwürfe"], ["$draft"], "2020-01-01T00:00:00.000Z"],
    [["Trash"], ["$forwarded"], "2020-01-01T00:00:00.000Z"],
    [["Lists", "jmap"], ["$seen"], "2020-01-01T00:00:00.000Z"],
  ]);
  await expect(maildirSource(`${folder}/tree`)).rejects.toThrow("is no Maildir");
});

test("Takeout: labels are mailboxes and keywords, in English and German", async () => {
  expect(labelsIn('Inbox, "Family, and friends",Opened')).toEqual(["Inbox", "Family, and friends", "Opened"]);
  const of = (text: string) => {
    const { mailboxes, keywords } = ofLabels(labelsIn(text));
    return [mailboxes.map(({ path, role }) => role ?? path.join("/")), keywords];
  };
  expect(of("Inbox,Starred,Important,Unread,Work/2024,Category Updates")).toEqual([
    ["inbox", "Work/2024"],
    ["$flagged", "$important", "gmail-updates"],
  ]);
  expect(of("Posteingang,Markiert,Wichtig,Ungelesen,Kategorie: Persönlich")).toEqual([
    ["inbox"],
    ["$flagged", "$important", "gmail-personal"],
  ]);
  expect(of("Archiviert,Geöffnet")).toEqual([["archive"], ["$seen"]]);
  expect(of("Archived,Opened,Receipts")).toEqual([["Receipts"], ["$seen"]]);
  expect(of("Entwürfe")).toEqual([["drafts"], ["$draft", "$seen"]]);
  expect(of("")).toEqual([["archive"], ["$seen"]]);

  const text =
    "From 1783@xxx Mon Jan 01 10:00:00 +0000 2024\nX-GM-THRID: 1783\nX-Gmail-Labels: =?UTF-8?Q?Posteingang,Ge=C3=B6ffnet,?=\n" +
    " =?UTF-8?Q?B=C3=BCro?=\nSubject: x\n\nHi\n>From me\n";
  const [found] = await mailsOf(await takeoutSource(file(text)));
  expect(found).toMatchObject({
    mailboxes: [{ role: "inbox" }, { path: ["Büro"] }],
    keywords: ["$seen"],
    receivedAt: new Date("2024-01-01T10:00:00Z"),
    thread: "1783",
  });
  expect(found!.raw!.toString()).toBe("Subject: x\r\n\r\nHi\r\nFrom me\r\n");
});

test("names of mailboxes and keywords are made legal, and stay as they are if they were", () => {
  expect(decodeMailboxName("Entw&APw-rfe & Co")).toBe("Entw&APw-rfe & Co");
  expect(decodeMailboxName("~peter/mail/&U,BTFw-/&ZeVnLIqe-")).toBe("~peter/mail/台北/日本語");
  expect(decodeMailboxName("R&-D")).toBe("R&D");
  expect(decodeMailboxName("B&oops-")).toBe("B&oops-");
  expect(mailboxName("a\u0007b\n")).toBe("a b");
  expect(Buffer.byteLength(mailboxName("ß".repeat(300)))).toBeLessThanOrEqual(255);
  expect(mailboxName(" \0 ")).toBe("Unnamed");
  expect(["\\Seen", "\\Recent", "NonJunk", "a b", "(", "Größe", "$MDNSent", ""].map(keywordOf)).toEqual([
    "$seen",
    undefined,
    "$notjunk",
    "a_b",
    undefined,
    "gr__e",
    "$mdnsent",
    undefined,
  ]);
});
