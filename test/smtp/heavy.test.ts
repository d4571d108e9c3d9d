import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/ports.ts";
import { SmtpConnection } from "../support/smtp-client.ts";
import { type MailHost, startMailHost } from "./host.ts";

let host: MailHost;
let ada: number;

beforeAll(async () => {
  host = await startMailHost();
  await host.listen({ maxMessageSize: 20_000_000 });
  ada = await host.account("ada@here.test");
});
afterAll(() => host.stop());

/** Sends the bytes unchanged; returns the longest time in ms that the event loop was blocked meanwhile. */
async function heldUp(wire: string): Promise<number> {
  const connection = await SmtpConnection.greet({ port: host.smtpPort, timeoutMs: 50_000 });
  await connection.command("MAIL FROM:<eve@there.test>", [250]);
  await connection.command("RCPT TO:<ada@here.test>", [250]);
  await connection.command("DATA", [354]);
  let [last, worst] = [performance.now(), 0];
  const watch = setInterval(() => {
    worst = Math.max(worst, performance.now() - last);
    last = performance.now();
  }, 5);
  connection.write(`${wire}\r\n.\r\n`);
  expect((await connection.read()).code).toBe(250);
  clearInterval(watch);
  await connection.quit();
  return worst;
}
const arrived = (subject: string) =>
  until(`mail "${subject}"`, async () => (await host.mails(ada)).find((mail) => mail.subject === subject));

const signature = (at: number) =>
  `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; l=${1000 + at}; d=d${at}.test; s=s; h=from; bh=${"A".repeat(43)}=; b=${"B".repeat(340)}\r\n`;

test.each([
  ["bare line feeds", "", "a\n".repeat(3_000_000)],
  ["many signatures", Array.from({ length: 50 }, (_, at) => signature(at)).join(""), "x y z. \r\n".repeat(200_000)],
  ["runs of white space", `X-Space: a${" ".repeat(990)}\r\n`.repeat(250), "Hello."],
])(
  "a message of %s does not block the event loop",
  async (subject, fields, body) => {
    // The first message starts the thread.
    expect(await heldUp(`From: eve@there.test\r\nSubject: ${subject}\r\n${fields}\r\n${body}`)).toBeLessThan(900);
    const { raw } = await arrived(subject);
    expect(raw.endsWith(`${fields}\r\n${body}\r\n`)).toBe(true);
    expect(raw).toMatch(/^Return-Path: .*\r\nAuthentication-Results: mx\.posthorn\.test;/);
  },
  120_000,
);

test("a message whose lines begin with dots is taken as fast as others", async () => {
  const timeOf = async (subject: string, line: string): Promise<number> => {
    const began = performance.now();
    await heldUp(`Subject: ${subject}\r\n\r\n${line.repeat(600_000)}`);
    return performance.now() - began;
  };
  const plain = await timeOf("no dots", "abc\r\n");
  // A busy machine takes longer over both.
  expect(await timeOf("dots", "...\r\n")).toBeLessThan(Math.max(12_000, 8 * plain));
  // On failure, toBe would print both messages.
  expect((await arrived("dots")).raw.endsWith(`\r\n\r\n${"..\r\n".repeat(600_000)}\r\n`)).toBe(true);
}, 60_000);
