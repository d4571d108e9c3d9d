import { generateKeyPairSync } from "node:crypto";
import { authenticate, dkimSign } from "mailauth";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { addAddress, forwardAddress, listAddresses, removeAddress } from "../../src/admin/addresses.ts";
import { auditQueues } from "../../src/admin/queue-audit.ts";
import { unprepared } from "../../src/store/core/sql.ts";
import { dsn } from "../feedback/shapes.ts";
import { testAdmin } from "../support/admin.ts";
import { until } from "../support/ports.ts";
import { deliver, SmtpFailure } from "../support/smtp-client.ts";
import { ada, bob, host, mail, sent, sink, useOutbox } from "./outbox.ts";

useOutbox({ signsReturnPath: true });
beforeAll(() => host.listen());

const admin = () => testAdmin(host.store);
const group = "team@here.test";
const goesTo = (to: string[], keepsCopy = false, address = group) =>
  forwardAddress(admin(), address, { to, keepsCopy });

beforeAll(async () => {
  await addAddress(admin(), group, "ada@here.test");
});
beforeEach(() => goesTo([], true));

const plain = (subject: string, more = "") =>
  `${more}From: Eve <eve@there.test>\r\nTo: ${group}\r\nSubject: ${subject}\r\nMessage-ID: <${subject.replace(/\W/g, "")}@there.test>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\nHello.\r\n`;

async function comes(data: string, to: string | string[] = group, from = "eve@there.test"): Promise<string> {
  const outcome = await deliver({ port: host.smtpPort, from, to, data }).catch((error: unknown) => error);
  await host.incoming.idle();
  return outcome instanceof SmtpFailure ? outcome.line : "taken";
}
const far = (count: number) =>
  until(`${count} mails far away`, async () => (sink.messages.length >= count ? sink.messages : undefined));
const subjects = async (account: number) => (await host.mails(account)).map(({ subject }) => subject);
const junkOf = (account: number) =>
  host.database
    .run(unprepared<{ id: number }>("/* test */ SELECT id FROM mailbox WHERE user_id = $1 AND role = 'junk'"), [
      account,
    ])
    .then(([row]) => row!.id);

/** What was sent on is not in anybody's list of submissions, and leaves no row. */
const settled = () =>
  until("the queue is empty", async () =>
    (await host.rows("SELECT 1 FROM submission WHERE user_id = $1", [ada])).length === 0 ? true : undefined,
  );

test("a group leads to accounts and to addresses elsewhere, each once, with the sender's signature whole", async () => {
  await addAddress(admin(), "inner@here.test", "bob@here.test", {
    to: ["cy@far.test", group, "fay@other.test"],
    keepsCopy: true,
  });
  await goesTo(["bob@here.test", "cy@far.test", "dee@far.test", "ada@here.test", "inner@here.test"]);
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = publicKey.export({ type: "spki", format: "der" }).toString("base64");
  host.dns.set("s._domainkey.there.test", "TXT", [`v=DKIM1; p=${key}`]);
  const data = plain("To the team");
  const privateText = privateKey.export({ type: "pkcs8", format: "pem" });
  const signatureData = [{ signingDomain: "there.test", selector: "s", privateKey: privateText }];
  const { signatures } = await dkimSign(data, { signatureData } as never);
  expect(await comes(signatures + data, [group, "bob@here.test"])).toBe("taken");
  const messages = await far(2);
  expect(messages.flatMap(({ to }) => to).sort()).toEqual(["cy@far.test", "dee@far.test", "fay@other.test"]);
  expect((await subjects(ada)).filter((subject) => subject === "To the team")).toHaveLength(1);
  expect((await subjects(bob)).filter((subject) => subject === "To the team")).toHaveLength(1);
  for (const { raw, from } of messages) {
    expect(from).toMatch(/^rp-[0-9a-z-]+@here\.test$/);
    const text = raw.toString("latin1");
    expect(text).toContain(signatures + data);
    expect(text).not.toMatch(/^Return-Path:/im);
    const { dkim } = await authenticate(raw, { ip: "127.0.0.1", sender: from, resolver: resolve, disableArc: true });
    expect(dkim.results.map(({ status }) => status.result)).toEqual(["pass"]);
  }
  expect(messages.map(({ raw }) => /^Delivered-To: (.*?)\r\n/m.exec(raw.toString())?.[1]).sort()).toEqual([
    "inner@here.test",
    group,
  ]);
});

const resolve = (name: string, type: string) => host.dns.resolver().resolve(name, type) as Promise<string[][]>;

test("a forward without a copy leaves nothing behind, and one with a copy does", async () => {
  await goesTo(["cy@far.test"]);
  expect(await comes(plain("No copy"))).toBe("taken");
  await far(1);
  await goesTo(["cy@far.test"], true);
  expect(await comes(plain("A copy"))).toBe("taken");
  await far(2);
  expect(await subjects(ada)).not.toContain("No copy");
  expect(await subjects(ada)).toContain("A copy");
  await settled();
});

test("a late bounce of a forward is among the bounces, and does not count against the user", async () => {
  await goesTo(["late@far.test"]);
  await comes(plain("Late"));
  const [message] = await far(1);
  await settled();
  const told = [{ to: "late@far.test", status: "5.1.1", diagnostic: "550 5.1.1 no such user" }];
  expect(await comes(dsn({ subject: "Too late", told }).toString("latin1"), message!.from, "")).toBe("taken");
  expect(await subjects(ada)).toContain("Too late");
  const rows = await host.rows("SELECT kind, source, recipient FROM bounce WHERE user_id = $1", [ada]);
  expect(rows).toContainEqual({ kind: "hard", source: "report", recipient: "late@far.test" });
  expect(await host.rows("SELECT 1 FROM sent_hour WHERE user_id = $1 AND hard > 0", [ada])).toEqual([]);
});

test("mail that comes back is refused, and never sent on twice", async () => {
  await goesTo(["cy@far.test"]);
  expect(await comes(plain("Round"))).toBe("taken");
  const [first] = await far(1);
  expect(await comes(first!.raw.toString("latin1"), group, first!.from)).toMatch(/^554 5\.4\.6 .*team@here\.test/);
  // By way of another address of the same group it stays here.
  await addAddress(admin(), "round@here.test", "ada@here.test", { to: [group], keepsCopy: false });
  expect(await comes(first!.raw.toString("latin1"), "round@here.test", first!.from)).toBe("taken");
  expect(await subjects(ada)).toContain("Round");
  expect(sink.messages).toHaveLength(1);
});

test("addresses that lead to each other and to nobody else leave the mail with the account", async () => {
  await addAddress(admin(), "one@here.test", "bob@here.test");
  await addAddress(admin(), "two@here.test", "bob@here.test", { to: ["one@here.test"], keepsCopy: false });
  await forwardAddress(admin(), "one@here.test", { to: ["two@here.test"], keepsCopy: false });
  expect(await comes(plain("In a ring"), "one@here.test")).toBe("taken");
  expect((await subjects(bob)).filter((subject) => subject === "In a ring")).toHaveLength(1);
});

test("a message that is delivered again, as after a crash, is sent on once", async () => {
  const entry = { address: group, userId: ada, maskedId: null, forwards: ["cy@far.test"], keepsCopy: false };
  const recipients = [{ address: group, userId: ada, entry }];
  const id = await host.incoming.newId();
  for (const _ of [1, 2]) {
    await host.incoming.accept({ id, message: Buffer.from(plain("Again")), mailFrom: "eve@there.test", recipients });
    await host.incoming.idle();
  }
  await far(1);
  await settled();
  expect(sink.messages).toHaveLength(1);
});

test("a catch-all sends mail on by the address that it came to; all of it is accounted for", async () => {
  await addAddress(admin(), "@here.test", "bob@here.test", { to: ["cy@far.test"], keepsCopy: false });
  expect(await comes(plain("Caught"), "Anyone@here.test")).toBe("taken");
  const [message] = await far(1);
  expect(message!.raw.toString()).toMatch(/^Received: [\s\S]*?^Delivered-To: anyone@here\.test\r$/m);
  expect(await comes(message!.raw.toString("latin1"), "anyone@here.test")).toMatch(/^554 5\.4\.6 /);
  await removeAddress(admin(), "@here.test");
  await goesTo(["bob@here.test"]);
  expect(await comes(plain("To bob alone"))).toBe("taken");
  await host.mailLog.flush();
  host.clock.ahead += 120_000;
  const { incoming } = await auditQueues(admin(), new Date(Date.now() - 3_600_000));
  host.clock.ahead -= 120_000;
  expect(incoming).toMatchObject({ delivered: expect.any(Number), missing: [] });
});

test("what goes to Junk goes nowhere else", async () => {
  await goesTo(["cy@far.test"]);
  const spam = plain("Junk").replace("Eve <eve@there.test>", "Ada <ada@here.test>");
  expect(await comes(spam)).toBe("taken");
  const [found] = (await host.mails(ada)).filter(({ subject }) => subject === "Junk");
  expect(found?.mailboxIds).toEqual([await junkOf(ada)]);
  expect(sink.messages).toEqual([]);
});

test("reports go on without a sender, and one about a forward comes to the account that forwards", async () => {
  await goesTo(["cy@far.test"]);
  expect(await comes(plain("A report"), group, "")).toBe("taken");
  expect((await far(1))[0]!.from).toBe("");
  expect(await comes(plain("Bounces later"))).toBe("taken");
  const { from } = (await far(2))[1]!;
  await settled();
  const report = dsn({
    subject: "Undelivered",
    told: [{ to: "cy@far.test", status: "5.1.1", diagnostic: "550 5.1.1 no" }],
  });
  expect(await comes(report.toString("latin1"), from, "")).toBe("taken");
  expect(await subjects(ada)).toContain("Undelivered");
  const forged = from.replace(/.@/, (end) => (end === "a@" ? "b@" : "a@"));
  expect(await comes(report.toString("latin1"), forged, "")).toMatch(/^550 5\.1\.1 /);
  expect(sink.messages).toHaveLength(2);
});

test("a forward that is refused for good is reported to its account, not to the sender", async () => {
  await goesTo(["cy@far.test"]);
  sink.program({ stage: "rcpt", reply: "550 5.1.1 no such user" });
  expect(await comes(plain("Refused far away"))).toBe("taken");
  await until("a report", async () =>
    (await host.mails(ada)).find(({ raw }) => raw.includes("multipart/report") && raw.includes("Refused far away")),
  );
  expect(sink.messages).toEqual([]);
});

test("mail of our own users goes the same way, without the mark for its readers here", async () => {
  await goesTo(["bob@here.test", "cy@far.test"]);
  await sent(await mail(group, "From inside"));
  const [message] = await far(1);
  expect(message!.to).toEqual(["cy@far.test"]);
  expect(message!.raw.toString()).not.toContain("(rp-");
  await until("bob's mail", async () => ((await subjects(bob)).includes("From inside") ? true : undefined));
});

test("an operator is told of targets that don't exist, of loops and of mail that would be lost", async () => {
  await expect(goesTo(["nobody@here.test"])).rejects.toMatchObject({ why: { type: "noAddress" } });
  await expect(goesTo([group])).rejects.toMatchObject({ why: { type: "forwardsToItself" } });
  await expect(goesTo([])).rejects.toMatchObject({ why: { type: "forwardsNowhere" } });
  await expect(goesTo(["not an address"])).rejects.toMatchObject({ why: { type: "notAnAddress" } });
  await goesTo(["Cy@FAR.test"]);
  expect(await listAddresses(admin())).toContainEqual({
    ...{ address: group, login: "ada@here.test", forwards: ["cy@far.test"] },
    ...{ keepsCopy: false, isPaused: false, isMasked: false },
  });
});
