import { afterAll, beforeAll, expect, test } from "vitest";
import { addAlias } from "../../src/store/directory/directory.ts";
import { until } from "../support/ports.ts";
import { SmtpConnection } from "../support/smtp-client.ts";
import { type MailHost, startMailHost } from "./host.ts";

let host: MailHost;
let ada: number;

beforeAll(async () => {
  host = await startMailHost();
  await host.listen();
  ada = await host.account("ada@here.test");
  await host.account("bob@xn--hr-bja.test");
});
afterAll(() => host.stop());

/** Sends the lines one by one; returns the replies. */
async function talk(...lines: string[]): Promise<string[]> {
  const connection = await SmtpConnection.greet({ port: host.smtpPort });
  const replies: string[] = [];
  for (const line of lines) replies.push((await connection.command(line)).line);
  await connection.quit();
  return replies;
}

const from = "MAIL FROM:<eve@there.test>";
const utf8 = `${from} SMTPUTF8`;

test.each(["FOO=BAR", "FOO", "SIZE=10 FOO=BAR", "RET=HDRS", "AUTH=<>", "BODY=8BITMIME ENVID=x"])(
  "MAIL with %s, which EHLO does not offer, is refused",
  async (parameters) => {
    const [mail, rcpt] = await talk(`${from} ${parameters}`, "RCPT TO:<ada@here.test>");
    expect(mail).toMatch(/^555 5\.5\.4 /);
    expect(rcpt).toMatch(/^503 /);
  },
);

test("MAIL with offered parameters is accepted, in upper or lower case", async () => {
  expect((await talk(`${from} SIZE=10 BODY=8BITMIME SMTPUTF8`))[0]).toMatch(/^250 /);
  expect((await talk(`mail from:<eve@there.test> size=10 body=7bit smtputf8`))[0]).toMatch(/^250 /);
});

test.each(["FOO=BAR", "NOTIFY=NEVER", "ORCPT=rfc822;ada@here.test", "SIZE=10"])(
  "RCPT with %s is refused, and the other recipients are kept",
  async (parameters) => {
    const [, bad, good] = await talk(from, `RCPT TO:<ada@here.test> ${parameters}`, "RCPT TO:<ada@here.test>");
    expect(bad).toMatch(/^555 5\.5\.4 /);
    expect(good).toMatch(/^250 /);
  },
);

test("an address that is not ASCII needs SMTPUTF8, in MAIL and RCPT", async () => {
  expect((await talk("MAIL FROM:<evé@there.test>"))[0]).toMatch(/^553 5\.6\.7 /);
  expect((await talk("MAIL FROM:<eve@thére.test>"))[0]).toMatch(/^553 5\.6\.7 /);
  expect((await talk("MAIL FROM:<evé@thére.test> SMTPUTF8"))[0]).toMatch(/^250 /);
  expect((await talk(from, "RCPT TO:<bob@hér.test>"))[1]).toMatch(/^553 5\.6\.7 /);
  expect((await talk(utf8, "RCPT TO:<bob@hér.test>"))[1]).toMatch(/^250 /);
  expect((await talk(utf8, "RCPT TO:<adá@here.test>"))[1]).toMatch(/^550 5\.1\.1 /);
});

test("a domain in its ASCII form needs no SMTPUTF8, and keeps that form", async () => {
  const connection = await SmtpConnection.greet({ port: host.smtpPort });
  await connection.command("MAIL FROM:<eve@xn--thre-cpa.test>", [250]);
  await connection.command("RCPT TO:<bob@xn--hr-bja.test>", [250]);
  await connection.command("RCPT TO:<@relay.test:ada@here.test>", [250]);
  await connection.data("Subject: ASCII\r\n\r\nHello.\r\n");
  await connection.quit();
  const { raw } = await until("the mail", async () => (await host.mails(ada)).find((m) => m.subject === "ASCII"));
  expect(raw).toMatch(/^Return-Path: <eve@xn--thre-cpa\.test>\r\n/);
  expect(raw).toContain(" with ESMTP id ");
});

test.each([
  '"bob smith"@there.test',
  '"a@b"@there.test',
  '""@there.test',
  '"q\\"uote"@there.test',
  "ilo.@there.test",
  "a..b@there.test",
  "eve@[192.0.2.1]",
])("mail from %s is accepted, and its return path is kept as written", async (sender) => {
  const connection = await SmtpConnection.greet({ port: host.smtpPort });
  await connection.command(`MAIL FROM:<${sender}>`, [250]);
  await connection.command("RCPT TO:<ada@here.test>", [250]);
  expect((await connection.data(`Subject: from ${sender}\r\n\r\nHello.\r\n`)).code).toBe(250);
  await connection.quit();
  const { raw } = await until("the mail", async () =>
    (await host.mails(ada)).find((m) => m.subject === `from ${sender}`),
  );
  expect(raw.split("\r\n")[0]).toBe(`Return-Path: <${sender}>`);
  expect(host.warnings).toEqual([]);
});

test("needless quotes around a local part do not change the recipient", async () => {
  await addAlias(host.store, '"ann of here"@here.test', ada);
  await addAlias(host.store, '"an@n"@here.test', ada);
  const [, ...replies] = await talk(
    from,
    'RCPT TO:<"ada"@here.test>',
    'RCPT TO:<"a\\da"@here.test>',
    'RCPT TO:<"ann of here"@here.test>',
    'RCPT TO:<"Ann\\ of here"@here.test> ',
    'RCPT TO:<@relay.test:"an@n"@here.test>',
    'RCPT TO:<"ann"@here.test>',
    "RCPT TO:<a..b@here.test>",
    'RCPT TO:<"a b"@elsewhere.test>',
  );
  expect(replies.map((reply) => reply.slice(0, 9))).toEqual([
    ...Array(5).fill("250 2.1.5"),
    "550 5.1.1",
    "550 5.1.1",
    "550 5.7.1",
  ]);
});

test("a dot after the domain of the sender or a recipient is dropped", async () => {
  const connection = await SmtpConnection.greet({ port: host.smtpPort });
  await connection.command("MAIL FROM:<eve@there.test.>", [250]);
  for (const domain of ["here.test.", "here.test"]) await connection.command(`RCPT TO:<ada@${domain}>`, [250]);
  expect((await connection.command("RCPT TO:<nobody@here.test.>")).line).toMatch(/^550 5\.1\.1 /);
  expect((await connection.data("Subject: dot\r\n\r\nHello.\r\n")).code).toBe(250);
  await connection.quit();
  const found = await until("the mail", async () => {
    const mails = (await host.mails(ada)).filter((mail) => mail.subject === "dot");
    return mails.length > 0 ? mails : undefined;
  });
  expect(found.map(({ raw }) => raw.split("\r\n")[0])).toEqual(["Return-Path: <eve@there.test>"]);
});

test("a recipient may be named hundreds of times for one message, which is delivered once", async () => {
  const connection = await SmtpConnection.greet({ port: host.smtpPort });
  await connection.command(from, [250]);
  for (let count = 0; count < 300; count++) await connection.command("RCPT TO:<ada@here.test>", [250]);
  expect((await connection.data("Subject: named often\r\n\r\nHello.\r\n")).code).toBe(250);
  await connection.quit();
  await until("the mail", async () => (await host.mails(ada)).some((m) => m.subject === "named often"));
  expect((await host.mails(ada)).filter((m) => m.subject === "named often")).toHaveLength(1);
});

test("a peer that names recipients without end and sends no message is disconnected", async () => {
  const connection = await SmtpConnection.greet({ port: host.smtpPort });
  await connection.command(from, [250]);
  connection.write("RCPT TO:<ada@here.test>\r\n".repeat(2_200));
  const codes = new Set<number>();
  while (!codes.has(421)) codes.add((await connection.read()).code);
  expect([...codes]).toEqual([250, 421]);
  connection.destroy();
}, 30_000);

test("bytes that are not UTF-8 are not accepted as an address", async () => {
  const connection = await SmtpConnection.greet({ port: host.smtpPort });
  connection.write(Buffer.from("MAIL FROM:<ev\xe9@there.test> SMTPUTF8\r\n", "latin1"));
  expect((await connection.read()).line).toMatch(/^553 5\.6\.7 /);
  await connection.quit();
});

test("the Received field records SMTPUTF8", async () => {
  const connection = await SmtpConnection.greet({ port: host.smtpPort });
  await connection.command("MAIL FROM:<evé@there.test> SMTPUTF8", [250]);
  await connection.command("RCPT TO:<ada@here.test>", [250]);
  await connection.data("Subject: utf8\r\n\r\nHello.\r\n");
  await connection.quit();
  const { raw } = await until("the mail", async () => (await host.mails(ada)).find((m) => m.subject === "utf8"));
  expect(raw).toContain(" with UTF8SMTP id ");
});
