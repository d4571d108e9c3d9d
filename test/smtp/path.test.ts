import { afterAll, beforeAll, expect, test } from "vitest";
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

/** The replies to these lines, one after the other. */
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

test("MAIL with what EHLO offers is taken, in any case", async () => {
  expect((await talk(`${from} SIZE=10 BODY=8BITMIME SMTPUTF8`))[0]).toMatch(/^250 /);
  expect((await talk(`mail from:<eve@there.test> size=10 body=7bit smtputf8`))[0]).toMatch(/^250 /);
});

test.each(["FOO=BAR", "NOTIFY=NEVER", "ORCPT=rfc822;ada@here.test", "SIZE=10"])(
  "RCPT with %s is refused, and others still stand",
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

test("a domain in its ASCII form needs nothing, and keeps that form", async () => {
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

test("bytes that are no UTF-8 are no address", async () => {
  const connection = await SmtpConnection.greet({ port: host.smtpPort });
  connection.write(Buffer.from("MAIL FROM:<ev\xe9@there.test> SMTPUTF8\r\n", "latin1"));
  expect((await connection.read()).line).toMatch(/^553 5\.6\.7 /);
  await connection.quit();
});

test("the trace field tells of SMTPUTF8", async () => {
  const connection = await SmtpConnection.greet({ port: host.smtpPort });
  await connection.command("MAIL FROM:<evé@there.test> SMTPUTF8", [250]);
  await connection.command("RCPT TO:<ada@here.test>", [250]);
  await connection.data("Subject: utf8\r\n\r\nHello.\r\n");
  await connection.quit();
  const { raw } = await until("the mail", async () => (await host.mails(ada)).find((m) => m.subject === "utf8"));
  expect(raw).toContain(" with UTF8SMTP id ");
});
