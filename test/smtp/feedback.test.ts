import { beforeAll, expect, test } from "vitest";
import { addAddress } from "../../src/admin/addresses.ts";
import { readAudit } from "../../src/admin/audit.ts";
import {
  addSuppression,
  listBounces,
  listSuppressions,
  removeSuppression,
  topBounces,
} from "../../src/admin/feedback.ts";
import { silentLog } from "../../src/base/log.ts";
import { judgeAccount } from "../../src/mail/standing/hold.ts";
import { tellJunkComplaints } from "../../src/store/upkeep/junk-complaints.ts";
import { arf, dsn, plain } from "../feedback/shapes.ts";
import { testAdmin } from "../support/admin.ts";
import { until } from "../support/ports.ts";
import { deliver, SmtpConnection } from "../support/smtp-client.ts";
import { ada, bob, client, clientOf, get, host, mail, refusal, sent, sink, status, useOutbox } from "./outbox.ts";

useOutbox({ signsReturnPath: true });
beforeAll(() => host.listen());

type Json = Record<string, unknown>;

/** Sends a mail to these recipients, and waits until the far server has it. */
async function sentTo(recipients: string[], subject: string) {
  const { id } = await sent(await mail(recipients.join(", "), subject));
  for (const address of recipients) await status(id, address, "unknown");
  await until("outcomes recorded", async () => {
    const leased = await host.rows("SELECT 1 FROM delivery WHERE user_id = $1 AND leased_by IS NOT NULL", [ada]);
    return leased.length === 0 ? true : undefined;
  });
  const stored = sink.messages.findLast(({ raw }) => raw.toString("latin1").includes(`Subject: ${subject}`))!;
  return { id, returnPath: stored.from, raw: stored.raw };
}

/** The far server's mail to an address, from the null sender. */
async function comes(to: string, data: Buffer, from = ""): Promise<void> {
  await deliver({ port: host.smtpPort, from, to, data });
  await host.incoming.idle();
}

async function email(subject: string): Promise<Json | undefined> {
  const { list } = await client.call("Mailbox/get", { ids: null });
  const inbox = (list as Json[]).find(({ role }) => role === "inbox")!.id;
  const { ids } = await client.call("Email/query", { filter: { subject, inMailbox: inbox } });
  const found = await client.call("Email/get", { ids, properties: ["threadId", "blobId", "subject"] });
  return (found.list as Json[])[0];
}

const bounces = () =>
  host.rows("SELECT kind, source, recipient, destination, reply FROM bounce WHERE user_id = $1 ORDER BY modseq, no", [
    ada,
  ]);
const failed = (to: string, more = {}) => ({
  told: [{ to, status: "5.1.1", diagnostic: "550 5.1.1 no such user", ...more }],
});

test("mail leaves with a signed return path in the author's domain, which fits and may be written in capitals", async () => {
  const { id, returnPath } = await sentTo(["cy@far.test"], "Signed");
  expect(returnPath).toMatch(/^rp-[0-9a-z-]+@here\.test$/);
  expect(returnPath.split("@")[0]!.length).toBeLessThanOrEqual(64);
  // What the client gave or was given is shown unchanged.
  expect((await get(id)).envelope.mailFrom.email).toBe("ada@here.test");
  expect(sink.commands).toContain("RCPT TO:<cy@far.test> ORCPT=rfc822;cy@far.test");
  const connection = await SmtpConnection.greet({ port: host.smtpPort });
  await connection.command("MAIL FROM:<>", [250]);
  await connection.command(`RCPT TO:<${returnPath.toUpperCase()}>`, [250]);
  // Mail without a sender goes to one recipient.
  await connection.command("RSET", [250]);
  await connection.command("MAIL FROM:<>", [250]);
  const [local, domain] = returnPath.split("@") as [string, string];
  const forged = `${local.slice(0, -1)}${local.endsWith("a") ? "b" : "a"}@${domain}`;
  expect((await connection.command(`RCPT TO:<${forged}>`, [550])).line).toContain("5.1.1");
  host.clock.ahead += 20 * 86_400_000;
  expect((await connection.command(`RCPT TO:<${returnPath}>`, [550])).line).toContain("5.1.1");
  host.clock.ahead -= 20 * 86_400_000;
  await connection.command("QUIT", [221]);
});

test("a bounce is recorded, pushed, kept in the inbox in the thread of the mail, and the next mail is refused", async () => {
  const { id, returnPath } = await sentTo(["gone@far.test"], "Bounces");
  host.changes.length = 0;
  await comes(returnPath, dsn({ subject: "Undelivered one", ...failed("gone@far.test") }));
  const after = await get(id);
  expect(after.deliveryStatus["gone@far.test"]).toMatchObject({ delivered: "no", smtpReply: "550 5.1.1 no such user" });
  const found = (await email("Undelivered one"))!;
  expect(after.dsnBlobIds).toEqual([found.blobId]);
  expect(found.threadId).toBe(after.threadId);
  expect(host.changes.some(({ changed }) => changed.EmailSubmission !== undefined)).toBe(true);
  expect(await bounces()).toContainEqual({
    kind: "hard",
    source: "report",
    recipient: "gone@far.test",
    destination: "far.test",
    reply: "550 5.1.1 no such user",
  });
  expect(await refusal(await mail("Gone@far.test, cy@far.test", "Again"))).toMatchObject({
    type: "invalidRecipients",
    invalidRecipients: ["Gone@far.test"],
    description: expect.stringContaining("550 5.1.1 no such user"),
  });
});

test("a user sees the suppressed addresses, lifts one, and its mail goes out again", async () => {
  const { returnPath } = await sentTo(["back@far.test"], "Bounces once");
  await comes(returnPath, dsn(failed("back@far.test")));
  const { list } = await client.call("SuppressedAddress/list", {});
  expect(list).toContainEqual({
    address: "back@far.test",
    reason: "550 5.1.1 no such user",
    since: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  expect(await client.call("SuppressedAddress/lift", { addresses: ["Back@FAR.test", "no@far.test"] })).toMatchObject({
    lifted: ["Back@FAR.test"],
    notLifted: ["no@far.test"],
  });
  await sentTo(["back@far.test"], "Bounces no more");
});

test("the operator suppresses an address for all, and lifts it", async () => {
  const admin = testAdmin(host.store);
  await addSuppression(admin, "Shy@far.test", { account: undefined, reason: "asked for no mail" });
  expect(await refusal(await mail("shy@far.test", "Shy"))).toMatchObject({
    type: "invalidRecipients",
    description: expect.stringContaining("asked for no mail"),
  });
  await removeSuppression(admin, "shy@far.test", undefined);
  await sentTo(["shy@far.test"], "No longer shy");
  await addSuppression(admin, "shy@far.test", { account: "ada@here.test", reason: "by hand" });
  expect(await listSuppressions(admin, "ada@here.test", 100)).toContainEqual(
    expect.objectContaining({ address: "shy@far.test", reason: "by hand" }),
  );
  await removeSuppression(admin, "shy@far.test", "ada@here.test");
  await expect(removeSuppression(admin, "shy@far.test", "ada@here.test")).rejects.toThrow("notSuppressed");
  const acts = (await readAudit(admin, undefined, { limit: 10 })).rows.map(({ what }) => what.act);
  expect(acts.slice(0, 2)).toEqual(["suppression.remove", "suppression.add"]);
});

test("bounces are listed by account and queue, and counted by destination", async () => {
  const admin = testAdmin(host.store);
  const hard = await listBounces(admin, { account: "ada@here.test", kind: "hard", days: 7, limit: 100 });
  expect(hard.length).toBeGreaterThan(1);
  expect(new Set(hard.map(({ kind }) => kind))).toEqual(new Set(["hard"]));
  expect(await listBounces(admin, { account: "bob@here.test", kind: undefined, days: 7, limit: 100 })).toEqual([]);
  expect(await listBounces(admin, { account: undefined, kind: "hard", days: 7, limit: 100 })).toEqual(hard);
  const [first] = await topBounces(admin, { days: 7, limit: 5 });
  expect(first).toMatchObject({ kind: "hard", destination: "far.test", count: hard.length });
});

test("a soft bounce leaves the address usable, and a delay leaves `delivered`", async () => {
  const { id, returnPath } = await sentTo(["full@far.test", "slow@far.test"], "Soft");
  await comes(returnPath, dsn(failed("full@far.test", { status: "5.2.2", diagnostic: "552 5.2.2 mailbox full" })));
  await comes(
    returnPath,
    dsn(failed("slow@far.test", { action: "delayed", status: "4.4.1", diagnostic: "451 4.4.1 no answer" })),
  );
  const { deliveryStatus, dsnBlobIds } = await get(id);
  expect(deliveryStatus).toMatchObject({
    "full@far.test": { delivered: "no", smtpReply: "552 5.2.2 mailbox full" },
    "slow@far.test": { delivered: "unknown", smtpReply: "451 4.4.1 no answer" },
  });
  expect(dsnBlobIds).toHaveLength(2);
  await sentTo(["full@far.test", "slow@far.test"], "Soft again");
});

test("a report of success says yes, which later reports do not change", async () => {
  const { id, returnPath } = await sentTo(["glad@far.test"], "Arrives");
  await comes(
    returnPath,
    dsn(failed("glad@far.test", { action: "delivered", status: "2.0.0", diagnostic: "250 2.0.0 stored" })),
  );
  await comes(returnPath, dsn(failed("glad@far.test")));
  expect((await get(id)).deliveryStatus["glad@far.test"]).toMatchObject({
    delivered: "yes",
    smtpReply: "250 2.0.0 stored",
  });
});

test("a bounce in words alone counts, though it is no DSN", async () => {
  const { id, returnPath } = await sentTo(["words@far.test"], "Worded");
  const text =
    "Hi. This is the qmail-send program at far.test.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n<words@far.test>:\n550 5.1.1 unknown user";
  await comes(returnPath, plain({ subject: "failure notice", text }));
  const after = await get(id);
  expect(after.deliveryStatus["words@far.test"]).toMatchObject({
    delivered: "no",
    smtpReply: "550 5.1.1 unknown user",
  });
  expect(after.dsnBlobIds).toEqual([]);
  expect((await email("failure notice"))!.threadId).toBe(after.threadId);
});

test("a complaint is counted and suppresses nothing", async () => {
  const { returnPath } = await sentTo(["cross@far.test"], "Unwanted");
  await comes(returnPath, arf({ subject: "FW: Unwanted", fields: "Original-Rcpt-To: cross@far.test\n" }));
  expect(await bounces()).toContainEqual(expect.objectContaining({ kind: "complaint", recipient: "cross@far.test" }));
  await sentTo(["cross@far.test"], "Unwanted still");
});

test("a complaint to abuse@ or postmaster@ counts against the sender by the return path that it carries, once", async () => {
  const { id, returnPath } = await sentTo(["angry@far.test", "calm@far.test"], "To the operator");
  await client.call("EmailSubmission/set", { destroy: [id] });
  const names = `Original-Mail-From: <${returnPath}>\nOriginal-Rcpt-To: angry@far.test\n`;
  const forged = names.replace(/(?<=-)[a-z2-7](?=[a-z2-7]{15}@)/, (letter) => (letter === "a" ? "b" : "a"));
  const about = () =>
    host.rows("SELECT source, recipient FROM bounce WHERE user_id = $1 AND kind = 'complaint' AND recipient ~ $2", [
      ada,
      "^(angry|calm)@",
    ]);
  await ensurePostmaster();
  await comes("abuse@here.test", arf({ subject: "Forged", fields: forged }), "feedback@isp.test");
  await comes(
    "abuse@here.test",
    arf({ subject: "Nothing", fields: "Original-Rcpt-To: angry@far.test\n" }),
    "f@isp.test",
  );
  expect(await about()).toEqual([]);
  for (const to of ["abuse@here.test", "postmaster@here.test", "abuse@here.test"]) {
    await comes(to, arf({ subject: "True", fields: names }), "feedback@isp.test");
  }
  expect(await about()).toEqual([{ source: "report", recipient: "angry@far.test" }]);
  const inOriginal = arf({ fields: "Original-Rcpt-To: calm@far.test\n" }).toString();
  const original = inOriginal.replace(/^Return-Path: <.*>/m, `Return-Path: <${returnPath}>`);
  await comes("postmaster@here.test", Buffer.from(original), "feedback@isp.test");
  expect(await about()).toHaveLength(2);
  expect((await host.mails(bob)).filter(({ subject }) => subject === "True")).toHaveLength(3);
});

let postmaster: Promise<unknown> | undefined;
function ensurePostmaster(): Promise<unknown> {
  postmaster ??= addAddress(testAdmin(host.store), "postmaster@here.test", "bob@here.test");
  return postmaster;
}

test("a bounce without a valid token is not believed, nor one about somebody to whom the mail did not go", async () => {
  const { id, returnPath } = await sentTo(["safe@far.test", "other@far.test"], "Forged");
  await comes("ada@here.test", dsn({ subject: "Forged report", ...failed("safe@far.test") }));
  await comes(returnPath, dsn({ subject: "Foreign report", ...failed("victim@far.test") }));
  expect((await get(id)).deliveryStatus).toMatchObject({
    "safe@far.test": { delivered: "unknown" },
    "other@far.test": { delivered: "unknown" },
  });
  expect(await email("Forged report")).toBeDefined();
  await sentTo(["safe@far.test", "victim@far.test"], "Forged again");
});

test("what comes to a return path and is no report goes to the inbox as it is", async () => {
  const { id, returnPath } = await sentTo(["away@far.test"], "Absent");
  const note = plain({
    from: "away@far.test",
    to: "ada@here.test",
    subject: "I am away",
    text: "Until Monday.",
    fields: "Auto-Submitted: auto-replied\n",
  });
  await comes(returnPath, note);
  expect(await email("I am away")).toBeDefined();
  expect((await get(id)).deliveryStatus["away@far.test"]).toMatchObject({ delivered: "unknown" });
});

test("a refusal at the first attempt suppresses the address like a report", async () => {
  sink.program({ stage: "rcpt", address: "never@far.test", reply: "550 5.1.1 unknown" });
  const { id } = await sent(await mail("never@far.test", "Refused"));
  await status(id, "never@far.test", "no");
  expect(await refusal(await mail("never@far.test", "Refused again"))).toMatchObject({ type: "invalidRecipients" });
  expect(await bounces()).toContainEqual(
    expect.objectContaining({ kind: "hard", source: "smtp", recipient: "never@far.test" }),
  );
});

interface Receipt {
  /** Message-ID of the mail that it is about. */
  about: string;
  from: string;
  /** Final-Recipient. (Default: the sender.) */
  by?: string;
  disposition?: string;
  more?: string;
}

const receipt = ({ about, from, by = from, disposition = "displayed", more = "" }: Receipt) =>
  Buffer.from(
    [
      `From: ${from}`,
      "To: ada@here.test",
      "Subject: Read: Read me",
      "MIME-Version: 1.0",
      "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
      "",
      "--b",
      "Content-Type: text/plain",
      "",
      "Read.",
      "--b",
      "Content-Type: message/disposition-notification",
      "",
      `Final-Recipient: rfc822;${by}`,
      `Original-Message-ID: ${about}`,
      `Disposition: manual-action/MDN-sent-manually; ${disposition}`,
      `${more}--b--`,
      "",
    ].join("\r\n"),
  );
const messageIdOf = (raw: Buffer) => /^Message-ID: (<.*>)\r$/im.exec(raw.toString("latin1"))![1]!;
/** Recipient → displayed, and how many receipts are kept. */
async function receiptsOf(id: string) {
  const { deliveryStatus, mdnBlobIds } = (await get(id)) as unknown as {
    deliveryStatus: Record<string, Json>;
    mdnBlobIds: string[];
  };
  const displayed = Object.entries(deliveryStatus).map(([address, status]) => [address, status.displayed]);
  return { ...Object.fromEntries(displayed), receipts: mdnBlobIds.length };
}

test("a receipt from a recipient that names the mail says that it was displayed to that one, and stays said", async () => {
  const [one, other] = ["reads@far.test", "other@far.test"] as const;
  const { id, raw } = await sentTo([one, other], "Read me");
  const about = messageIdOf(raw);
  const nothing = { [one]: "unknown", [other]: "unknown", receipts: 0 };
  for (const wrong of [
    { about: "<wrong@here.test>", from: one },
    { about, from: "stranger@far.test" },
    { about, from: "stranger@far.test", by: one },
    { about, from: one, by: other },
    { about, from: `${one}, ${other}`, by: one },
    { about, from: one, by: `x${one}` },
  ]) {
    await comes("ada@here.test", receipt(wrong));
    expect(await receiptsOf(id)).toEqual(nothing);
  }
  await comes("ada@here.test", receipt({ about, from: one, disposition: "displayed/error", more: "Error: no\r\n" }));
  expect(await receiptsOf(id)).toEqual({ ...nothing, receipts: 1 });
  await comes("ada@here.test", receipt({ about, from: "Reads <reads@FAR.test>", by: "READS@far.test" }));
  expect(await receiptsOf(id)).toEqual({ ...nothing, [one]: "yes", receipts: 2 });
  await comes("ada@here.test", receipt({ about, from: one, disposition: "deleted" }));
  expect(await receiptsOf(id)).toEqual({ ...nothing, [one]: "yes", receipts: 3 });
});

test("mail between our own users that one marks as junk counts once as a complaint about the sender", async () => {
  const { id } = await sent(await mail("bob@here.test", "Bought cheaply"));
  await status(id, "bob@here.test", "yes");
  await host.incoming.idle();
  const his = clientOf(bob);
  const { ids } = await his.call("Email/query", { filter: { subject: "Bought cheaply" } });
  const [emailId] = ids as string[];
  const mailboxes = (await his.call("Mailbox/get", { ids: null })).list as Json[];
  const boxOf = (role: string) => ({
    mailboxIds: { [mailboxes.find((box) => box.role === role)!.id as string]: true },
  });
  await his.call("Email/set", { update: { [emailId!]: boxOf("junk") } });
  await his.call("Email/set", { update: { [emailId!]: boxOf("inbox") } });
  await his.call("Email/set", { update: { [emailId!]: { "keywords/$junk": true } } });
  const { list } = await his.call("Email/get", { ids, properties: ["authentication"] });
  expect((list as Json[])[0]!.authentication).toMatchObject({
    auth: { result: "pass", identity: "ada@here.test" },
    spf: { result: "none", domain: null },
    dmarc: [],
  });
  const found = await his.call("Email/query", { filter: { authentication: { auth: "pass" } } });
  expect(found.ids).toContain(emailId);
  await tellJunkComplaints(host.store, silentLog, 100, judgeAccount);
  await host.rows("UPDATE junk_mark SET told = false WHERE user_id = $1", [bob]);
  await tellJunkComplaints(host.store, silentLog, 100, judgeAccount);
  const about = (await bounces()).filter(({ source }) => source === "junk");
  expect(about).toEqual([
    {
      kind: "complaint",
      source: "junk",
      recipient: "bob@here.test",
      destination: "here.test",
      reply: "marked as junk",
    },
  ]);
});

test("a mark that was copied into mail from outside blames nobody", async () => {
  const { id } = await sent(await mail("bob@here.test", "Innocent"));
  await status(id, "bob@here.test", "yes");
  await host.incoming.idle();
  const copied = (await host.mails(bob)).find(({ subject }) => subject === "Innocent")!.raw;
  await comes("bob@here.test", Buffer.from(copied.replace("Innocent", "Copied"), "latin1"), "eve@far.test");
  const his = clientOf(bob);
  const { ids } = await his.call("Email/query", { filter: { subject: "Copied" } });
  await his.call("Email/set", { update: { [(ids as string[])[0]!]: { "keywords/$junk": true } } });
  expect(await host.rows("SELECT 1 FROM junk_mark WHERE user_id = $1 AND NOT told", [bob])).toEqual([]);
});

// The last, since as many complaints stop her.
test("a complaint that names a Message-ID alone is believed from who runs the domain that the mail went to, about its recipients", async () => {
  for (const domain of ["loop.test", "rival.test"]) {
    host.dns.set(domain, "MX", { preference: 10, exchange: "mx.far.test" });
    host.dns.set(`feedback.${domain}`, "TXT", "v=spf1 ip4:127.0.0.1 -all");
    host.dns.set(`_dmarc.${domain}`, "TXT", "v=DMARC1; p=reject");
  }
  const { raw } = await sentTo(["tired@loop.test", "calm@loop.test", "tired@rival.test"], "By its name");
  const [messageId] = /^Message-ID: .*$/m.exec(raw.toString())!;
  const complains = async (subject: string, of: { from: string; about: string; author?: string; id?: string }) => {
    const { from, about, author = "ada@here.test", id = messageId } = of;
    const report = arf({ from, subject, fields: `Original-Rcpt-To: ${about}\n` }).toString();
    const [head, original] = [
      report.slice(0, report.indexOf("message/rfc822")),
      report.slice(report.indexOf("message/rfc822")),
    ];
    const named = original.replace(/^From: .*$/m, `From: ${author}`).replace(/^To: .*$/m, "To: undisclosed:;");
    await comes("abuse@here.test", Buffer.from(head + named.replace(/^Message-ID: .*$/m, id)), from);
  };
  const about = () =>
    host.rows("SELECT recipient FROM bounce WHERE user_id = $1 AND kind = 'complaint' AND recipient ~ 'loop|rival'", [
      ada,
    ]);
  await ensurePostmaster();
  const loop = "arf@feedback.loop.test";
  await complains("another's recipient", { from: loop, about: "tired@rival.test" });
  await complains("nobody's recipient", { from: loop, about: "else@loop.test" });
  await complains("another mail", { from: loop, about: "tired@loop.test", id: "Message-ID: <other@here.test>" });
  await complains("another sender", { from: loop, about: "tired@loop.test", author: "bob@here.test" });
  await complains("not proven", { from: "arf@nowhere.test", about: "tired@loop.test" });
  await complains("a neighbour", { from: "eve@feedback.loop.test", about: "tired@loop.test" });
  expect(await about()).toEqual([]);
  await complains("true", { from: loop, about: "tired@loop.test" });
  await complains("true again", { from: loop, about: "tired@loop.test" });
  expect(await about()).toEqual([{ recipient: "tired@loop.test" }]);
});
