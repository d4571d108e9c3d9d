import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ImapFlow } from "imapflow";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, one } from "../conformance/client/client.ts";
import { deliver } from "../conformance/client/smtp.ts";
import type { GetResult, Json, SetResult } from "../conformance/client/types.ts";
import type { Imported } from "../src/admin/import/import.ts";
import { type Dovecot, startDovecot, whyNoDovecot } from "./support/dovecot.ts";
import { startServer, type TestServer } from "./support/server.ts";

/** Mail that others' programs wrote comes in by the command, and is looked at over JMAP. */
const folder = mkdtempSync(join(tmpdir(), "posthorn-import-"));
const secret = join(folder, "secret");
let server: TestServer;

beforeAll(async () => {
  writeFileSync(secret, "password\n");
  server = await startServer({ isShared: true, env: { POSTHORN_DEMO: "false" } });
}, 60_000);
afterAll(async () => {
  await server?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

let accounts = 0;
async function newAccount(): Promise<{ address: string; client: Client }> {
  const address = `u${++accounts}@import.test`;
  await server.addAccount(address, "password");
  return { address, client: await server.login(address, "password") };
}

async function run(address: string, ...args: string[]): Promise<Imported> {
  const { code, stdout, stderr } = await server.cli(["import", address, ...args, "--json"]);
  if (stdout === "") throw new Error(`${args.join(" ")}: ${code} ${stderr}`);
  return JSON.parse(stdout) as Imported;
}

interface Shown {
  subject: string | null;
  mailboxes: string[];
  keywords: string[];
  receivedAt: string;
  threadId: string;
  id: string;
}

/** All emails, by subject. */
async function emails(client: Client): Promise<Shown[]> {
  const boxes = await one<GetResult<{ id: string; name: string; parentId: string | null }>>(client, "Mailbox/get", {});
  const byId = new Map(boxes.list.map((box) => [box.id, box]));
  const pathOf = (id: string): string => {
    const { name, parentId } = byId.get(id)!;
    return parentId === null ? name : `${pathOf(parentId)}/${name}`;
  };
  const { ids } = await one<{ ids: string[] }>(client, "Email/query", { limit: 500 });
  const properties = ["subject", "mailboxIds", "keywords", "receivedAt", "threadId"];
  const { list } = await one<GetResult>(client, "Email/get", { ids, properties });
  const shown = list.map((email) => ({
    ...{ id: email.id as string, subject: email.subject as string | null, threadId: email.threadId as string },
    mailboxes: Object.keys(email.mailboxIds as Json)
      .map(pathOf)
      .sort(),
    keywords: Object.keys(email.keywords as Json).sort(),
    receivedAt: email.receivedAt as string,
  }));
  return shown.sort((a, b) => String(a.subject).localeCompare(String(b.subject)));
}

const brief = (all: Shown[]) =>
  all.map(({ subject, mailboxes, keywords }) => [subject, mailboxes.join(" "), keywords.join(" ")]);
const message = (subject: string, more = "") =>
  `From: Cleo <cleo@else.test>\r\nTo: ann@import.test\r\nSubject: ${subject}\r\nMessage-ID: <${subject.replace(/\W/g, "")}@else.test>\r\n${more}\r\nHello, ${subject}.\r\n`;

const python = spawnSync("python3", ["-c", "import mailbox"]).status === 0;
if (!python) process.stderr.write("\nLEFT OUT: mail files written by Python: python3 is not installed\n");

/** Python's own module for mail files. */
const writeByPython = `
import mailbox, sys, os, time
top = sys.argv[1]
def msg(n, body="Hello.\\n"):
    m = mailbox.mboxMessage()
    m["From"] = "Cleo <cleo@else.test>"; m["Subject"] = "py %d" % n; m["Message-ID"] = "<py%d@else.test>" % n
    if n == 3: m["In-Reply-To"] = "<py2@else.test>"; m.replace_header("Subject", "Re: py 2")
    m.set_payload(body); m.set_from("cleo@else.test", time.gmtime(1700000000 + n))
    return m
box = mailbox.mbox(os.path.join(top, "Box.mbox"))
for n in range(1, 6):
    m = msg(n, "Hello.\\n\\nFrom here on\\nall is quoted.\\n" if n == 4 else "Hello %d.\\n" % n)
    m.set_flags({1: "RO", 2: "RF", 3: "RA"}.get(n, ""))
    box.add(m)
box.flush(); box.close()
maildir = mailbox.Maildir(os.path.join(top, "Maildir"))
for name in [None, "Work", "Work.2024"]:
    sub = maildir.add_folder(name) if name else maildir
    for n in ([1, 2] if name != "Work.2024" else [2, 6]):
        m = mailbox.MaildirMessage(msg(n)); m.set_subdir("cur"); m.set_flags("FS" if n == 2 else "S"); m.set_date(1600000000 + n)
        sub.add(m)
`;

describe.skipIf(!python)("files that Python wrote", () => {
  beforeAll(() => {
    execFileSync("python3", ["-c", writeByPython, folder]);
  });

  test("mbox: flags, dates, threads; a dry run changes nothing; a second run brings nothing twice", async () => {
    const { address, client } = await newAccount();
    const args = [join(folder, "Box.mbox"), "--from", "mbox", "--into", "Old/2023"];
    const dry = await run(address, ...args, "--dry-run");
    expect(dry).toMatchObject({ seen: 5, made: 0, mailboxes: { "Old/2023": { mails: 5, fresh: 5 } } });
    expect(await emails(client)).toEqual([]);
    expect(await run(address, ...args)).toMatchObject({ seen: 5, made: 5, changed: 0, unreadable: [], failed: [] });
    const found = await emails(client);
    expect(brief(found)).toEqual([
      ["py 1", "Old/2023", "$seen"],
      ["py 2", "Old/2023", "$flagged $seen"],
      ["py 4", "Old/2023", ""],
      ["py 5", "Old/2023", ""],
      ["Re: py 2", "Old/2023", "$answered $seen"],
    ]);
    expect(found[0]!.receivedAt).toBe("2023-11-14T22:13:21Z");
    expect(found[4]!.threadId).toBe(found[1]!.threadId);
    expect(await run(address, ...args)).toMatchObject({ seen: 5, made: 0, changed: 0 });
    expect(await emails(client)).toEqual(found);
    const { list } = await one<GetResult>(client, "Email/get", {
      ...{ ids: [found[2]!.id], properties: ["bodyValues"], fetchTextBodyValues: true },
    });
    expect(JSON.stringify(list[0]!.bodyValues)).toContain("\\nFrom here on");
    const audit = await server.cli(["audit", "--account", address, "--json"]);
    expect(audit.stdout).toContain("account.import");
  }, 30_000);

  test("Maildir: the same message in several folders is one email, with the flags of all", async () => {
    const { address, client } = await newAccount();
    const result = await run(address, join(folder, "Maildir"), "--from", "maildir");
    expect(result).toMatchObject({ seen: 6, made: 3 });
    expect(brief(await emails(client))).toEqual([
      ["py 1", "Inbox Work", "$seen"],
      ["py 2", "Inbox Work Work/2024", "$flagged $seen"],
      ["py 6", "Work/2024", "$seen"],
    ]);
    expect(await server.cli(["doctor"])).toMatchObject({ code: 0 });
  }, 30_000);
});

test("what can't be read is kept as it is, and listed; a quota that is full stops the import, which goes on later", async () => {
  const { address, client } = await newAccount();
  const top = join(folder, "eml", "Letters");
  mkdirSync(top, { recursive: true });
  writeFileSync(join(top, "1.eml"), message("good"));
  writeFileSync(join(top, "2.eml"), Buffer.from("\u0000\u0001\u0002 no header at all\nmore"));
  writeFileSync(join(top, "3.eml"), "");
  writeFileSync(
    join(top, "4.eml"),
    message("nul \u0000 in it", "X: \u0000\r\nContent-Type: multipart/mixed; boundary=\r\n"),
  );
  const args = [join(folder, "eml", "Letters"), "--from", "eml"];
  await server.cli(["account", "quota", address, "400"]);
  const full = await server.cli(["import", address, ...args]);
  expect(full.code).toBe(1);
  expect(full.stderr).toContain(`posthorn account quota ${address} SIZE`);
  await server.cli(["account", "quota", address, "none"]);
  const result = await run(address, ...args);
  expect(result.unreadable.map(({ where }) => where)).toEqual([join(top, "2.eml"), join(top, "3.eml")]);
  const found = await emails(client);
  expect(found.map(({ subject }) => subject)).toEqual(
    expect.arrayContaining(["good", "A message that could not be read", "A message that could not be read"]),
  );
  expect(found).toHaveLength(4);
  expect(new Set(found.map(({ mailboxes }) => mailboxes.join()))).toEqual(new Set(["Letters"]));
  const { list } = await one<GetResult<{ id: string; attachments: { blobId: string; size: number }[] }>>(
    client,
    "Email/get",
    {
      ids: found.filter(({ subject }) => subject?.startsWith("A message")).map(({ id }) => id),
      properties: ["attachments"],
    },
  );
  expect(list.map(({ attachments }) => attachments[0]?.size ?? 0).sort()).toEqual([0, 26]);
  expect(await run(address, ...args)).toMatchObject({ made: 0, unreadable: [] });
  for (const [wrong, words] of [
    [[join(top, "1.eml"), "--from", "mbox"], "is not an mbox file"],
    [[join(folder, "nowhere"), "--from", "mbox"], "there is no"],
    [[top, "--from", "pst"], "is not archive, mbox"],
    [["imaps://127.0.0.1:1", "--from", "imap", "--user", "x", "--password-file", secret], "ECONNREFUSED"],
    [["http://127.0.0.1:1", "--from", "jmap"], "--user"],
  ] as const) {
    const { code, stderr } = await server.cli(["import", address, ...wrong]);
    expect([code, stderr.split("\n").length, stderr]).toEqual([1, 2, expect.stringContaining(words)]);
  }
}, 60_000);

test("another Posthorn: mailboxes, keywords, threads, dates; then only what changed there, and what was changed here stays", async () => {
  const { address: there, client: old } = await newAccount();
  const { address: here, client } = await newAccount();
  const send = (subject: string, more?: string) =>
    deliver({ port: server.smtpPort, from: "cleo@else.test", to: there, data: message(subject, more) });
  for (const subject of ["one", "two", "three"]) await send(subject);
  await send("Re: one", "In-Reply-To: <one@else.test>\r\n");
  await expect.poll(async () => (await emails(old)).length, { timeout: 10_000 }).toBe(4);
  const create = { w: { name: "Work" }, d: { name: "Deep", parentId: "#w" } };
  const { created } = await one<SetResult>(old, "Mailbox/set", { create });
  const [work, deep] = [created!.w!.id as string, created!.d!.id as string];
  const idOf = async (of: Client, subject: string) => (await emails(of)).find((email) => email.subject === subject)!.id;
  const set = (of: Client, args: Json) => one<SetResult>(of, "Email/set", args);
  await set(old, { update: { [await idOf(old, "two")]: { [`mailboxIds/${deep}`]: true, "keywords/$flagged": true } } });
  const args = [server.url, "--from", "jmap", "--user", there, "--password-file", secret];
  expect(await run(here, ...args)).toMatchObject({ made: 4, failed: [] });
  expect(brief(await emails(client))).toEqual(brief(await emails(old)));
  expect((await emails(client)).map(({ receivedAt }) => receivedAt)).toEqual(
    (await emails(old)).map((e) => e.receivedAt),
  );
  const threads = new Map((await emails(client)).map(({ subject, threadId }) => [subject, threadId]));
  expect(threads.get("Re: one")).toBe(threads.get("one"));
  expect(await run(here, ...args)).toMatchObject({ seen: 0, made: 0 });

  await set(client, { update: { [await idOf(client, "one")]: { "keywords/mine": true } } });
  await set(client, { destroy: [await idOf(client, "Re: one")] });
  await set(old, {
    update: {
      [await idOf(old, "one")]: { "keywords/$seen": true, mailboxIds: { [work]: true } },
      [await idOf(old, "Re: one")]: { "keywords/$seen": true },
    },
    destroy: [await idOf(old, "three")],
  });
  await one(old, "Mailbox/set", { update: { [deep]: { name: "Deeper" } } });
  await send("four");
  await expect.poll(async () => (await emails(old)).length, { timeout: 10_000 }).toBe(4);
  expect(await run(here, ...args)).toMatchObject({ made: 1, destroyed: 1 });
  expect(brief(await emails(client))).toEqual([
    ["four", "Inbox", ""],
    ["one", "Work", "$seen mine"],
    ["two", "Inbox Work/Deeper", "$flagged"],
  ]);
  const refused = await server.cli(["import", here, ...args.slice(0, 4), "nobody@x.test", "--password-file", secret]);
  expect(refused.stderr).toContain("refuses the name or password");
  expect(await server.cli(["doctor"])).toMatchObject({ code: 0 });
}, 60_000);

describe.skipIf(whyNoDovecot)("a real Dovecot", () => {
  let dovecot: Dovecot;
  beforeAll(async () => {
    dovecot = await startDovecot();
  }, 30_000);
  afterAll(() => dovecot?.stop());

  async function signIn(user: string): Promise<ImapFlow> {
    const client = new ImapFlow({
      host: "127.0.0.1",
      port: dovecot.port,
      auth: { user, pass: "password" },
      logger: false,
    });
    await client.connect();
    return client;
  }

  test("folders, flags, dates, special use; then what changed, moved and went; then its Maildir", async () => {
    const { address, client } = await newAccount();
    const imap = await signIn("ann");
    const date = new Date("2021-03-04T05:06:07Z");
    await imap.mailboxCreate(["Büro", "2024"]);
    for (const [path, subject, flags] of [
      ["INBOX", "first", ["\\Seen"]],
      ["INBOX", "second", ["\\Flagged", "$label1", "NonJunk"]],
      ["INBOX", "going", []],
      ["INBOX", "marked", ["\\Deleted"]],
      ["Gesendet", "sent", ["\\Seen"]],
      ["Büro/2024", "deep", ["\\Answered"]],
      ["Büro/2024", "first", ["\\Seen"]],
    ] as const) {
      await imap.append(path, message(subject), [...flags], date);
    }
    const args = [`imap://127.0.0.1:${dovecot.port}`, "--from", "imap", "--user", "ann", "--password-file", secret];
    expect(await run(address, ...args)).toMatchObject({ seen: 7, made: 6, failed: [] });
    const first = [
      ["deep", "Büro/2024", "$answered"],
      ["first", "Büro/2024 Inbox", "$seen"],
      ["going", "Inbox", ""],
      ["marked", "Trash", ""],
      ["second", "Inbox", "$flagged $label1 $notjunk"],
      ["sent", "Sent", "$seen"],
    ];
    const found = await emails(client);
    expect(brief(found)).toEqual(first);
    expect(new Set(found.map(({ receivedAt }) => receivedAt))).toEqual(new Set(["2021-03-04T05:06:07Z"]));
    expect(await run(address, ...args)).toMatchObject({ seen: 0, made: 0, changed: 0, destroyed: 0 });

    await imap.mailboxOpen("INBOX");
    const uidOf = async (subject: string) => ((await imap.search({ subject }, { uid: true })) as number[]).join(",");
    await imap.messageFlagsAdd(await uidOf("second"), ["\\Seen"], { uid: true });
    await imap.messageDelete(await uidOf("going"), { uid: true });
    await imap.messageMove(await uidOf("first"), "Gesendet", { uid: true });
    await imap.append("INBOX", message("new"), [], date);
    const second = await run(address, ...args);
    expect(second).toMatchObject({ made: 1, destroyed: 1 });
    const after = [
      first[0],
      ["first", "Büro/2024 Sent", "$seen"],
      first[3],
      ["new", "Inbox", ""],
      ["second", "Inbox", "$flagged $label1 $notjunk $seen"],
      first[5],
    ];
    const moved = await emails(client);
    expect(brief(moved)).toEqual(after);
    // An email that was moved there is the same one here.
    expect(moved[1]!.id).toBe(found[1]!.id);
    await imap.mailboxDelete("Büro/2024");
    await imap.logout();
    expect(await run(address, ...args)).toMatchObject({ destroyed: 1 });
    expect(brief(await emails(client))[0]).toEqual(["first", "Sent", "$seen"]);

    const other = await newAccount();
    const maildir = dovecot.maildir("ann");
    expect(await run(other.address, maildir, "--from", "maildir")).toMatchObject({ failed: [], unreadable: [] });
    const byName = brief(await emails(other.client));
    expect(byName).toEqual(brief(await emails(client)));
    appendFileSync(join(maildir, "new", "1700000000.x"), message("late"));
    expect(await run(other.address, maildir, "--from", "maildir")).toMatchObject({ made: 1 });
  }, 60_000);
});
