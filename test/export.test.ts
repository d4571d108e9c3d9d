import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, one } from "../conformance/client/client.ts";
import type { GetResult, Json, SetResult } from "../conformance/client/types.ts";
import { portraitCapabilities, portraitOf } from "./support/portrait.ts";
import { startServer, type TestServer } from "./support/server.ts";

const ann = "ann@export.example";
const folder = mkdtempSync(join(tmpdir(), "posthorn-export-"));
let server: TestServer;
let client: Client;

const asker = (of: Client) => async (name: string, args: Json) => {
  const [answer] = await of.call([[name, { accountId: of.accountId, ...args }, "0"]], portraitCapabilities);
  expect(answer![0], JSON.stringify(answer![1])).toBe(name);
  return answer![1];
};
const cli = async (...args: string[]) => {
  const result = await server.cli(args);
  if (result.code !== 0) throw new Error(`${args.join(" ")}: ${result.code} ${result.stdout}${result.stderr}`);
  return result.stdout;
};

async function add(text: string, rest: Json): Promise<void> {
  const { blobId } = await client.upload(text.replaceAll("\n", "\r\n"), "message/rfc822");
  const { created } = await asker(client)("Email/import", { emails: { a: { blobId, ...rest } } });
  expect(created).not.toBeNull();
}

beforeAll(async () => {
  server = await startServer({ isShared: true, env: { POSTHORN_DEMO: "false" } });
  await Promise.all([
    server.addAccount(ann, "correct horse"),
    server.addAccount("bob@export.example", "correct horse"),
  ]);
  client = await server.login(ann, "correct horse");
  const { list } = await one<GetResult<{ id: string; role: string }>>(client, "Mailbox/get", {});
  const inbox = list.find(({ role }) => role === "inbox")!.id;
  const make = {
    a: { name: "Grüße & Co.", parentId: null },
    b: { name: "Sub", parentId: "#a" },
    c: { name: "work", parentId: null },
  };
  const made = await one<SetResult>(client, "Mailbox/set", { create: make });
  const sub = made.created!.b!.id as string;
  const at = "2026-03-04T05:06:07Z";
  const keywords = { $seen: true, $flagged: true, "plan/b": true };
  await add("From: a@x.test\nSubject: one\nX-Status: D\n\nFrom here\n>From there\nend\n", {
    mailboxIds: { [inbox]: true, [sub]: true },
    keywords,
    receivedAt: at,
  });
  await add("From: a@x.test\nSubject: two\n\nno end of line", {
    mailboxIds: { [sub]: true },
    keywords: { $draft: true },
    receivedAt: at,
  });
  const { list: identities } = await one<GetResult<{ id: string }>>(client, "Identity/get", {});
  const email = {
    mailboxIds: { [sub]: true },
    from: [{ email: ann }],
    to: [{ email: "bob@export.example" }],
    subject: "to bob",
    textBody: [{ partId: "1", type: "text/plain" }],
    bodyValues: { 1: { value: "hello" } },
  };
  await client.call([
    ["Email/set", { accountId: client.accountId, create: { m: email } }, "0"],
    [
      "EmailSubmission/set",
      { accountId: client.accountId, create: { s: { emailId: "#m", identityId: identities[0]!.id } } },
      "1",
    ],
  ]);
  const isFinal = async () =>
    ((await asker(client)("EmailSubmission/get", { ids: null })).list as Json[])[0]?.undoStatus === "final";
  for (let tries = 0; !(await isFinal()); tries++) {
    if (tries > 200) throw new Error("the mail was not delivered");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}, 60_000);
afterAll(async () => {
  await server?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

test("an account goes to an archive and comes back as another that a client can't tell from it", async () => {
  const to = join(folder, "ann");
  expect(await cli("export", ann, "--to", to, "--dry-run")).toContain("Would write 3 emails");
  const manifest = JSON.parse(await cli("export", ann, "--to", to, "--json")) as Json;
  expect(manifest).toMatchObject({
    format: "posthorn-archive",
    account: { address: ann },
    missing: [],
    messages: { count: 3 },
  });
  expect(statSync(to).mode & 0o077).toBe(0);
  expect(await cli("export", "--verify", to)).toContain("is whole: 3 messages, 3 emails");
  await server.addAccount("cleo@export.example", "correct horse");
  expect(await cli("import", "cleo@export.example", to, "--from", "archive", "--dry-run")).toContain(
    "Would import 3 emails",
  );
  expect(await cli("import", "cleo@export.example", to, "--from", "archive")).toContain("Added 3 emails");
  const cleo = await server.login("cleo@export.example", "correct horse");
  const [before, after] = await Promise.all([portraitOf(asker(client)), portraitOf(asker(cleo))]);
  // The identities are those of both addresses, and the name of the quota is the account's.
  const [mine] = before.identities as Json[];
  expect(after.identities).toContainEqual({ ...mine, id: expect.any(String), mayDelete: true });
  const alike = ({ identities: _, submissions, quota, ...rest }: Json) => ({
    ...rest,
    submissions: (submissions as Json[]).map(({ identityId: _id, ...one }) => one),
    used: (quota as Json[]).map(({ used }) => used),
  });
  expect(alike(after)).toEqual(alike(before));
  expect(await cli("audit", "--account", ann)).toContain("account.export");
  expect(await cli("audit", "--account", "cleo@export.example")).toContain("account.import");

  const tar = join(folder, "ann.tar");
  await cli("export", ann, "--to", tar);
  expect(await cli("export", "--verify", tar)).toContain("is whole");
  const refused = await server.cli(["export", "bob@export.example", "--to", to]);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(`has an archive of ${ann}`) });
  expect(await cli("export", "--verify", to)).toContain("is whole: 3 messages, 3 emails");
  const message = readdirSync(join(to, "messages"))[0]!;
  writeFileSync(join(to, "messages", message), "changed");
  const damaged = await server.cli(["export", "--verify", to]);
  expect(damaged).toMatchObject({ code: 1, stdout: expect.stringContaining(`${message}: damaged`) });
  expect((await server.cli(["export", "--verify", folder])).stderr).toContain("this is no archive that can be read");
}, 60_000);

test("as mbox, Python's mailbox module reads all of it, with flags and dates", async () => {
  const to = join(folder, "mbox");
  expect(await cli("export", ann, "--to", to, "--format", "mbox")).toContain("Wrote 3 emails");
  const script = `
import mailbox, sys, json
box = mailbox.mbox(sys.argv[1])
print(json.dumps([[m.get_from(), m.get_flags(), m["X-Keywords"], m["Subject"], m.get_payload(), m.get_all("X-Status")] for m in box]))`;
  const read = (name: string) =>
    JSON.parse(execFileSync("python3", ["-c", script, join(to, name)], { encoding: "utf8" })) as unknown[][];
  expect(read("Inbox.mbox")).toEqual([
    ["MAILER-DAEMON Wed Mar  4 05:06:07 2026", "ROF", "plan/b", "one", ">From here\n>>From there\nend\n", ["F"]],
  ]);
  const sub = read("Grüße & Co/Sub.mbox".replace("Co/", "Co%2E/"));
  expect(sub.map(([, flags, , subject]) => [flags, subject])).toEqual([
    ["ROF", "one"],
    ["OT", "two"],
    [expect.anything(), "to bob"],
  ]);
});

test("as Maildir, folders, flags, keywords and dates are Dovecot's; a second run adds nothing", async () => {
  const to = join(folder, "maildir");
  expect(await cli("export", ann, "--to", to, "--format", "maildir")).toContain("Wrote 3 emails");
  const list = (...path: string[]) => readdirSync(join(to, ...path, "cur")).sort();
  const [file] = list();
  expect(file).toMatch(/^1772600767\.e\w+\.posthorn,S=\d+:2,FSa$/);
  expect(readFileSync(join(to, "dovecot-keywords"), "utf8")).toBe("0 plan/b\n");
  expect(readFileSync(join(to, "cur", file!), "utf8")).toContain("\r\n\r\nFrom here\r\n>From there\r\n");
  expect(statSync(join(to, "cur", file!)).mtime).toEqual(new Date("2026-03-04T05:06:07Z"));
  const sub = ".Gr&APwA3w-e &- Co_.Sub";
  expect(list(sub)).toHaveLength(3);
  expect(readdirSync(join(to, ".work")).sort()).toEqual(["cur", "maildirfolder", "new", "tmp"]);
  expect(readFileSync(join(to, "subscriptions"), "utf8")).toContain("INBOX\n");
  writeFileSync(join(to, "cur", "1.other:2,"), "of somebody else");
  const { ids } = await asker(client)("Email/query", { filter: { subject: "one" } });
  const [id] = ids as string[];
  await asker(client)("Email/set", { update: { [id!]: { "keywords/$seen": null } } });
  const { ids: gone } = await asker(client)("Email/query", { filter: { subject: "two" } });
  await asker(client)("Email/set", { destroy: gone });
  await cli("export", ann, "--to", to, "--format", "maildir");
  expect(list()).toEqual(["1.other:2,", file!.replace("FSa", "Fa")]);
  expect(list(sub)).toHaveLength(2);
});

test("another JMAP server gets the mail once, however often it is sent; a wrong password is told", async () => {
  await server.addAccount("dan@export.example", "correct horse");
  const file = join(folder, "password");
  writeFileSync(file, "correct horse\n");
  const to = ["export", ann, "--format", "jmap", "--to", server.url, "--user", "dan@export.example"];
  expect(await cli(...to, "--password-file", file)).toMatch(/^Put [23] emails .*; 0 were there/);
  expect(await cli(...to, "--password-file", file)).toMatch(/^Put 0 emails .*; [23] were there/);
  const dan = await server.login("dan@export.example", "correct horse");
  const [mine, his] = await Promise.all([portraitOf(asker(client)), portraitOf(asker(dan))]);
  const shown = ({ emails }: Json) =>
    (emails as Json[]).map(({ scan: _, authentication: _a, threadId: _t, id: _i, ...rest }) => rest);
  expect(shown(his)).toEqual(expect.arrayContaining(shown(mine)));
  expect(shown(his)).toHaveLength(shown(mine).length);
  writeFileSync(file, "wrong\n");
  expect((await server.cli([...to, "--password-file", file])).stderr).toContain("refuses the name or password");
});
