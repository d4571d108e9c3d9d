import { generateKeyPairSync } from "node:crypto";
import { dkimSign } from "mailauth";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { addAlias } from "../../src/store/directory/directory.ts";
import { setQuota } from "../../src/store/mail/quota.ts";
import { OthersFirst } from "../../src/store/queues/incoming.ts";
import { message } from "../support/messages.ts";
import { until } from "../support/ports.ts";
import { deliver, SmtpConnection, SmtpFailure } from "../support/smtp-client.ts";
import { type MailHost, startMailHost } from "./host.ts";

let host: MailHost;
let ada: number;
let bob: number;

beforeAll(async () => {
  host = await startMailHost();
  await host.listen({ maxMessageSize: 200_000 });
  ada = await host.account("ada@here.test");
  bob = await host.account("bob@here.test");
});
afterAll(() => host.stop());

const connect = () => SmtpConnection.greet({ port: host.smtpPort });
const send = (data: string | Buffer, to: string | string[] = "ada@here.test", from = "eve@there.test") =>
  deliver({ port: host.smtpPort, from, to, data });
const refused = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (!(error instanceof SmtpFailure)) throw new Error(`not refused: ${error}`);
  return error.line;
};
const arrived = (account: number, subject: string) =>
  until(`mail "${subject}"`, async () => (await host.mails(account)).find((mail) => mail.subject === subject));
const plain = (subject: string, body = "Hello.\r\n") =>
  `From: eve@there.test\r\nTo: ada@here.test\r\nSubject: ${subject}\r\n\r\n${body}`;

test("a message whose header takes too long to verify is stored whole", async () => {
  const long = `X-Long: a${"\r\n b".repeat(5_000)}\r\n`;
  await send(long + plain("long header"));
  expect((await arrived(ada, "long header")).raw.toString()).toContain(long);
  const from = `From: ${"(x) ".repeat(20_000)}${" ".repeat(1_000)}<eve@there.test>\r\n`;
  await send(`${from}Subject: long sender\r\n\r\nHello.\r\n`);
  expect((await arrived(ada, "long sender")).raw.toString()).toContain(from);
});

/** Where a mail was filed is told when it was: before or after what the door tells. */
const ofDoor = (told: readonly [string, unknown][]) => told.filter(([name]) => name !== "mailFiled");

test("events report accepted mail and refused commands, with the reply code", async () => {
  const { told } = host.heard;
  told.length = 0;
  const data = plain("told");
  await send(data, ["ada@here.test", "bob@here.test"]);
  await refused(send(data, "nobody@here.test"));
  await refused(send(`Received: by a.test\r\n`.repeat(200) + data));
  await refused(send(data, "ada@here.test", "evé@there.test"));
  const sizeOctets = expect.any(Number);
  expect(ofDoor(told)).toEqual([
    ["mailTaken", { sizeOctets, recipients: 2 }],
    ["checkObjected", { check: "known-recipient", verdict: "refuse" }],
    ["mailRefused", { command: "RCPT", replyCode: 550 }],
    ["checkObjected", { check: "loop", verdict: "refuse" }],
    ["mailRefused", { command: "DATA", replyCode: 554 }],
    ["checkObjected", { check: "utf8-address", verdict: "refuse" }],
    ["mailRefused", { command: "MAIL", replyCode: 553 }],
  ]);
  expect((told[0]![1] as { sizeOctets: number }).sizeOctets).toBeGreaterThan(data.length);
});

test("an event reports mail that cannot be made durable, and the peer keeps the mail", async () => {
  const { told } = host.heard;
  told.length = 0;
  const put = vi.spyOn(host.blobs, "putTogether").mockRejectedValueOnce(new Error("no room"));
  expect(await refused(send(plain("kept")))).toMatch(/^451 4\.3\.0/);
  put.mockRestore();
  expect(ofDoor(told)).toEqual([
    ["mailNotStored", { sizeOctets: expect.any(Number), recipients: 1 }],
    ["mailRefused", { command: "DATA", replyCode: 451 }],
  ]);
});

describe("the conversation", () => {
  test("greets at once, without the library's delay", async () => {
    const start = Date.now();
    const connection = await connect();
    expect(Date.now() - start).toBeLessThan(80);
    await connection.quit();
  });

  test("offers the extensions that it implements", async () => {
    const connection = await SmtpConnection.open({ port: host.smtpPort });
    expect((await connection.read()).line).toMatch(/^220 mx\.posthorn\.test ESMTP/);
    const { lines } = await connection.command("EHLO client.test");
    const offers = lines.map((line) => line.slice(4));
    expect(offers).toEqual(
      expect.arrayContaining(["PIPELINING", "8BITMIME", "SMTPUTF8", "STARTTLS", "SIZE 200000", "ENHANCEDSTATUSCODES"]),
    );
    expect(offers.some((offer) => offer.startsWith("AUTH"))).toBe(false);
    await connection.quit();
  });

  test("takes a whole transaction in one packet", async () => {
    const connection = await connect();
    connection.write("MAIL FROM:<eve@there.test>\r\nRCPT TO:<ada@here.test>\r\nRCPT TO:<nobody@here.test>\r\nDATA\r\n");
    expect((await connection.read()).code).toBe(250);
    expect((await connection.read()).code).toBe(250);
    expect((await connection.read()).line).toMatch(/^550 5\.1\.1 /);
    expect((await connection.read()).code).toBe(354);
    connection.write(`${plain("Pipelined")}.\r\nQUIT\r\n`);
    expect((await connection.read()).line).toMatch(/^250 2\.6\.0 accepted as q/);
    expect((await connection.read()).code).toBe(221);
    await arrived(ada, "Pipelined");
  });

  test("refuses strangers, relaying and nonsense at RCPT", async () => {
    expect(await refused(send(plain("x"), "nobody@here.test"))).toMatch(/^550 5\.1\.1 /);
    expect(await refused(send(plain("x"), "someone@elsewhere.test"))).toMatch(/^550 5\.7\.1 /);
    expect(await refused(send(plain("x"), "here.test"))).toMatch(/^501 5\.1\.3 /);
  });

  test("delivers to tagged addresses, in upper or lower case", async () => {
    await send(plain("Tagged"), "Ada+news@HERE.test");
    await arrived(ada, "Tagged");
  });

  test("delivers to aliases, and to the domain's catch-all for all other addresses", async () => {
    const bob = await host.account("bob@whole.test");
    await addAlias(host.store, "sales@whole.test", ada);
    await addAlias(host.store, "@whole.test", bob);
    await send(plain("To an alias"), "sales@whole.test");
    await arrived(ada, "To an alias");
    await send(plain("To anybody"), "no-such-name@whole.test");
    await arrived(bob, "To anybody");
  });

  test("refuses what is too large, announced or not", async () => {
    const connection = await connect();
    expect((await connection.command("MAIL FROM:<eve@there.test> SIZE=200001")).line).toMatch(/^552 5\.3\.4 /);
    await connection.quit();
    expect(await refused(send(plain("Large", "0123456789012345678\r\n".repeat(10_000))))).toMatch(/^552 5\.3\.4 /);
    expect((await host.mails(ada)).some((mail) => mail.subject === "Large")).toBe(false);
  });

  test("refuses mail for a full account at RCPT, and delivers what it accepted before", async () => {
    const full = await host.account("full@here.test");
    const limit = (bytes: number | null) => host.store.write(full, "server", (tx) => setQuota(tx, bytes));
    await limit(5000);
    const connection = await connect();
    await connection.command("MAIL FROM:<eve@there.test> SIZE=6000", [250]);
    expect((await connection.command("RCPT TO:<full@here.test>")).line).toMatch(/^552 5\.2\.3 /);
    await connection.command("RSET", [250]);
    // Accepted while there was room, though it needs more than that.
    await connection.send({
      from: "eve@there.test",
      to: "full@here.test",
      data: plain("Fits", "Hello.\r\n".repeat(700)),
    });
    await arrived(full, "Fits");
    await connection.command("MAIL FROM:<eve@there.test> SIZE=900", [250]);
    expect((await connection.command("RCPT TO:<full@here.test>")).line).toMatch(/^452 4\.2\.2 /);
    await connection.command("RCPT TO:<ada@here.test>", [250]);
    await connection.command("RSET", [250]);
    await limit(1000);
    expect(await refused(send(plain("x"), "full@here.test"))).toMatch(/^452 4\.2\.2 /);
    await limit(null);
    await send(plain("Again"), "full@here.test");
    await arrived(full, "Again");
    await connection.quit();
  });

  test("accepts at most 1000 recipients", async () => {
    const connection = await connect();
    await connection.command("MAIL FROM:<eve@there.test>", [250]);
    connection.write(Array.from({ length: 1001 }, (_, i) => `RCPT TO:<ada+${i}@here.test>\r\n`).join(""));
    for (let i = 0; i < 1000; i++) await connection.expect("RCPT", [250]);
    expect((await connection.read()).line).toMatch(/^452 4\.5\.3 /);
    await connection.quit();
  });

  test("encrypts with a certificate of its own", async () => {
    const connection = await connect();
    await connection.startTls();
    await connection.send({ from: "eve@there.test", to: "ada@here.test", data: plain("Secret") });
    await connection.quit();
    const { raw } = await arrived(ada, "Secret");
    expect(raw).toMatch(/\(TLSv1\.3 TLS_AES\w+\)\r\n by mx\.posthorn\.test with ESMTPS id q/);
    const [setting] = await host.rows("SELECT value FROM setting WHERE name = 'smtp_certificate mx.posthorn.test'");
    expect(setting?.value).toContain("BEGIN CERTIFICATE");
  });
});

describe("the bytes", () => {
  test("are kept as they came, dots and 8-bit included, behind a trace header", async () => {
    const body = Buffer.concat([
      Buffer.from(plain("Bytes", "..two\r\n.\r\nend \u00fc\r\n")),
      Buffer.from([0xe9, 13, 10]),
    ]);
    await send(body);
    const { raw } = await arrived(ada, "Bytes");
    const at = raw.indexOf("From: eve@there.test");
    expect(raw.slice(at)).toBe(body.toString("latin1"));
    expect(raw.slice(0, at)).toMatch(
      /^Return-Path: <eve@there\.test>\r\nAuthentication-Results: mx\.posthorn\.test;[\s\S]+\r\nReceived: from client\.test \(\[127\.0\.0\.1\]\)\r\n by mx\.posthorn\.test with ESMTP id q\w+;\r\n .+ \+0000\r\n$/,
    );
  });

  test.each([
    ["LF.LF", "a\n.\nb\r\n"],
    ["LF.CRLF", "a\n.\r\nb\r\n"],
    ["CRLF.LF", "a\r\n.\nb\r\n"],
    ["CRLF.CR", "a\r\n.\rb\r\n"],
    ["CR.CR", "a\r.\rb\r\n"],
  ])("that smuggle a second message by %s are refused as one", async (_, body) => {
    const connection = await connect();
    await connection.command("MAIL FROM:<eve@there.test>", [250]);
    await connection.command("RCPT TO:<ada@here.test>", [250]);
    await connection.command("DATA", [354]);
    connection.write(`${plain("Smuggled", body)}MAIL FROM:<x@there.test>\r\n.\r\nNOOP\r\n`);
    expect((await connection.read()).line).toMatch(/^554 5\.6\.0 /);
    expect((await connection.read()).code).toBe(250);
    await connection.quit();
  });

  test("with bare line feeds are kept", async () => {
    const connection = await connect();
    await connection.command("MAIL FROM:<eve@there.test>", [250]);
    await connection.command("RCPT TO:<ada@here.test>", [250]);
    await connection.command("DATA", [354]);
    connection.write("From: eve@there.test\nSubject: Bare\n\none\ntwo\r\n.\r\n");
    expect((await connection.read()).code).toBe(250);
    await connection.quit();
    expect((await arrived(ada, "Bare")).raw).toContain("Subject: Bare\n\none\ntwo\r\n");
  });

  test("may have a huge header", async () => {
    await send(`X-Long: ${"word ".repeat(200)}\r\n`.repeat(150) + plain("Huge"));
    await arrived(ada, "Huge");
  });

  test("for many recipients are stored once and name none of them", async () => {
    const many = await Promise.all(Array.from({ length: 20 }, (_, i) => host.account(`many${i}@here.test`)));
    await send(
      plain("Group"),
      many.map((_, i) => `many${i}@here.test`),
    );
    const mails = await Promise.all(many.map((account) => arrived(account, "Group")));
    expect(new Set(mails.map((mail) => mail.raw)).size).toBe(1);
    expect(mails[0]!.raw).not.toContain("many");
    const [row] = await host.rows("SELECT count(DISTINCT sha256) AS count FROM message WHERE subject = 'Group'");
    expect(row!.count).toBe(1);
  });

  test("that loop are refused", async () => {
    const received = "Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n";
    expect(await refused(send(received.repeat(51) + plain("Loop")))).toMatch(/^554 5\.4\.6 /);
    const ours = "Received: from a by mx.posthorn.test with ESMTP id x; Mon, 1 Jan 2024 00:00:00 +0000\r\n";
    expect(await refused(send(ours.repeat(11) + plain("Loop")))).toMatch(/^554 5\.4\.6 /);
  });

  test("carry no results that claim to be ours", async () => {
    const forged =
      "Authentication-Results: MX.posthorn.test;\r\n spf=pass\r\nAuthentication-Results: other.test; spf=pass\r\n";
    await send(forged + plain("Forged"));
    const { raw } = await arrived(ada, "Forged");
    expect(raw.match(/^Authentication-Results: mx\.posthorn\.test/gim)).toHaveLength(1);
    expect(raw).toContain("Authentication-Results: other.test; spf=pass\r\n");
  });
});

describe("who sent it", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  beforeAll(() => {
    const der = publicKey.export({ type: "spki", format: "der" }).toString("base64");
    host.dns.set("key._domainkey.strict.test", "TXT", `v=DKIM1; k=rsa; p=${der}`);
    host.dns.set("_dmarc.strict.test", "TXT", "v=DMARC1; p=reject");
    host.dns.set("strict.test", "TXT", "v=spf1 -all");
  });
  const strict = (subject: string) => message({ from: "a@strict.test", to: "ada@here.test", subject });
  const signed = async (subject: string) => {
    const mail = await strict(subject);
    const signatureData = [{ signingDomain: "strict.test", selector: "key", privateKey: key }];
    const { signatures } = await dkimSign(mail, { signatureData } as never);
    return Buffer.concat([Buffer.from(signatures), mail]);
  };

  test("is reported in Authentication-Results", async () => {
    await send(await signed("Signed"), "ada@here.test", "a@strict.test");
    const { raw } = await arrived(ada, "Signed");
    expect(raw).toMatch(/^Authentication-Results: mx\.posthorn\.test;[\s\S]*dkim=pass[\s\S]*dmarc=pass/m);
  });

  test("is refused where the domain asks for it", async () => {
    const line = await refused(send(await strict("Forgery"), "ada@here.test", "a@strict.test"));
    expect(line).toMatch(/^550 5\.7\.1 .*strict\.test/);
    const long = `From: ${"(x) ".repeat(20_000)}${" ".repeat(1_000)}<a@strict.test>\r\nSubject: Long\r\n\r\nHello.\r\n`;
    const withoutId = (text: string) => text.replace(/ \(q\w+\)$/, "");
    expect(withoutId(await refused(send(long, "ada@here.test", "a@strict.test")))).toBe(withoutId(line));
  });

  test("is accepted while DNS does not answer", async () => {
    host.dns.fail("key._domainkey.strict.test", "SERVFAIL");
    await send(await signed("Unanswered"), "ada@here.test", "a@strict.test");
    host.dns.fail("key._domainkey.strict.test", undefined);
    await arrived(ada, "Unanswered");
  });
});

describe("accepted mail", () => {
  test("is removed from the queue once it is delivered", async () => {
    await send(plain("Queue"), ["ada@here.test", "bob@here.test"]);
    await Promise.all([arrived(ada, "Queue"), arrived(bob, "Queue")]);
    await until("an empty queue", async () => (await host.rows("SELECT id FROM incoming")).length === 0);
  });

  test("is delivered once by another process when the first one dies", async () => {
    const dead = host.newIncoming({ name: "elsewhere 1 1", isGone: () => false });
    const id = await dead.newId();
    await dead.accept({
      id,
      message: Buffer.from(plain("Left")),
      mailFrom: "eve@there.test",
      recipients: [{ address: "ada@here.test", userId: ada }],
    });
    await dead.close();
    // The process died between the delivery and the removal of its row.
    await host.rows(
      `INSERT INTO incoming SELECT $1, now(), m.sha256, current_date, m.size, '', $2, 'elsewhere 1 1', now() + '5 min'
       FROM message m WHERE m.user_id = $3 AND m.subject = 'Left'`,
      [
        id,
        JSON.stringify([
          { address: "bob@here.test", userId: bob, done: false },
          { address: "ada@here.test", userId: ada, done: false },
        ]),
        ada,
      ],
    );
    await host.incoming.sweep();
    expect((await host.mails(bob)).filter((mail) => mail.subject === "Left")).toHaveLength(0);
    host.clock.ahead += 6 * 60_000;
    await host.incoming.sweep();
    expect((await host.mails(bob)).filter((mail) => mail.subject === "Left")).toHaveLength(1);
    expect((await host.mails(ada)).filter((mail) => mail.subject === "Left")).toHaveLength(1);
    expect(await host.rows("SELECT id FROM incoming")).toEqual([]);
  });

  test("is not taken for accepted under an id that is in use for others, and comes once that is free", async () => {
    const id = await host.incoming.newId();
    const to = (name: string, userId: number) => ({ address: `${name}@here.test`, userId });
    await host.rows(
      `INSERT INTO incoming SELECT $1, now(), m.sha256, current_date, m.size, '', $2, 'elsewhere 1 1', now() + '1 day'
       FROM message m WHERE m.user_id = $3 AND m.subject = 'Left'`,
      [id, JSON.stringify([{ ...to("bob", bob), done: false }]), ada],
    );
    const accept = (...recipients: ReturnType<typeof to>[]) =>
      host.incoming.accept({ id, message: Buffer.from(plain("Second")), mailFrom: "eve@there.test", recipients });
    await expect(accept(to("ada", ada))).rejects.toThrow(OthersFirst);
    await accept(to("bob", bob));
    await host.incoming.idle();
    expect((await host.mails(bob)).filter(({ subject }) => subject === "Second")).toEqual([]);
    await host.rows("DELETE FROM incoming WHERE id = $1", [id]);
    await accept(to("ada", ada));
    await arrived(ada, "Second");
    await host.incoming.idle();
  });

  test("is taken over at once from a process that is known to be dead", async () => {
    await host.rows(
      `INSERT INTO incoming SELECT 7, now(), m.sha256, current_date, m.size, '', $1, 'dead', now() + '1 day'
       FROM message m WHERE m.user_id = $2 AND m.subject = 'Left'`,
      [JSON.stringify([{ address: "bob@here.test", userId: bob, done: false }]), ada],
    );
    const other = host.newIncoming({ name: "alive", isGone: (name) => name === "dead" });
    await other.sweep();
    await other.close();
    expect((await host.mails(bob)).filter((mail) => mail.subject === "Left")).toHaveLength(2);
  });

  test("whose completion cannot be recorded is left to other processes at a stop, which does not wait for the retry", async () => {
    await host.rows(
      `CREATE FUNCTION no_removal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not now'; END $$`,
    );
    await host.rows("CREATE TRIGGER no_removal BEFORE DELETE ON incoming EXECUTE FUNCTION no_removal()");
    const stopping = host.newIncoming({ name: "stopping", isGone: () => false });
    const recipients = [{ address: "ada@here.test", userId: ada }];
    const message = Buffer.from(plain("Interrupted"));
    host.warnings.length = 0;
    await stopping.accept({ id: await stopping.newId(), message, mailFrom: "eve@there.test", recipients });
    // By then the delay before a retry is 2 s.
    await until("three failures", async () => host.warnings.length >= 3);
    const begin = performance.now();
    await stopping.close();
    expect(performance.now() - begin).toBeLessThan(1_000);
    await host.rows("DROP FUNCTION no_removal CASCADE");
    const next = host.newIncoming({ name: "next", isGone: (name) => name === "stopping" });
    await next.sweep();
    await next.close();
    expect(await host.rows("SELECT id FROM incoming")).toEqual([]);
    expect((await host.mails(ada)).filter(({ subject }) => subject === "Interrupted")).toHaveLength(1);
  });

  test("is retried later, and not before, when an account cannot take it", async () => {
    await host.rows("ALTER TABLE received RENAME TO received_away");
    await send(plain("Later"));
    await until("a note", async () => (await host.rows("SELECT last_error FROM incoming"))[0]?.last_error);
    await host.incoming.sweep();
    expect(await host.rows("SELECT attempts FROM incoming")).toEqual([{ attempts: 1 }]);
    await host.rows("ALTER TABLE received_away RENAME TO received");
    host.clock.ahead += 60_000;
    await host.incoming.sweep();
    await arrived(ada, "Later");
  });
});
