import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { oddText, timeFor, tries } from "../support/fuzz.ts";
import { until } from "../support/ports.ts";
import { deliver, type Reply, SmtpConnection } from "../support/smtp-client.ts";
import { type MailHost, startMailHost } from "./host.ts";

let host: MailHost;
let ada: number;
/** Subjects of the accepted mails (250). */
const accepted: string[] = [];
let count = 0;

beforeAll(async () => {
  host = await startMailHost();
  await host.listen({ maxMessageSize: 100_000 });
  ada = await host.account("ada@here.test");
});
afterAll(() => host?.stop());

const good = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "MAIL FROM:<eve@there.test>",
      "MAIL FROM:<>",
      "MAIL FROM:<eve@there.test> SIZE=100 BODY=8BITMIME SMTPUTF8",
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "RCPT TO:<ada@here.test>",
      "RCPT TO:<Ada+x@HERE.test>",
      "RCPT TO:<nobody@here.test>",
      "RCPT TO:<a@far.test>",
      "rcpt to:<postmaster>",
    ),
  },
  { weight: 3, arbitrary: fc.constant("DATA") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "RSET",
      "NOOP",
      "NOOP x",
      "VRFY ada",
      "EXPN x",
      "HELP",
      "EHLO there.test",
      "HELO there.test",
      "EHLO [127.0.0.1]",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "AUTH PLAIN AGEAYg==",
      "AUTH LOGIN",
      "BDAT 5 LAST",
      "XCLIENT ADDR=1.2.3.4",
      "XFORWARD NAME=x",
      "STARTTLS",
      "QUIT",
      "WIZ",
      "ETRN x",
      "GET / HTTP/1.1",
    ),
  },
);
const odd = fc.oneof(
  oddText,
  fc.string({ unit: "binary", maxLength: 10 }),
  fc.constantFrom(
    "<",
    ">",
    "@",
    ":",
    " ",
    "  ",
    "\0",
    '"',
    '"\\',
    "=",
    "SIZE=-1",
    "SIZE=99999999999999999999",
    "<@a,@b:",
    "\u00e9",
    "xn--",
    "BODY=",
    "[1.2.3.4]",
  ),
);
const spoiled = fc
  .tuple(good, fc.nat(30), fc.nat(4), odd)
  .map(([line, at, length, odd]) => line.slice(0, at) + odd + line.slice(at + length));
/** Reduces a text to one line: what follows a line end would be another command. */
const line = fc
  .oneof({ weight: 4, arbitrary: good }, { weight: 3, arbitrary: spoiled }, { weight: 1, arbitrary: odd })
  .map((text) => text.replace(/[\r\n]/g, ""));
const body = fc
  .array(fc.oneof(odd, fc.constantFrom("\r\n", "\n", ".", "\r\n..", "\n.\n", "Received: x\r\n", "\r")), {
    maxLength: 8,
  })
  .map((parts) => parts.join("").replaceAll("\r\n.\r\n", ""));

/** RFC 5321 §4.2, RFC 2034: one code on all lines, and an enhanced code of the same class. */
function expectReply({ code, lines }: Reply): void {
  expect(code).toBeGreaterThanOrEqual(200);
  expect(code).toBeLessThan(600);
  lines.forEach((line, at) => {
    expect(line).toMatch(at === lines.length - 1 ? /^\d{3} / : /^\d{3}-/);
    expect(line.slice(0, 3)).toBe(String(code));
    expect(line).not.toMatch(/[\0-\x08\x0a-\x1f\x7f]|node_modules|\.ts:\d/);
    expect(line.length).toBeLessThanOrEqual(510);
    const [, family] = /^\d{3}[ -](\d)\.\d{1,3}\.\d{1,3} /.exec(line) ?? [];
    if (family !== undefined && code !== 354) expect(family).toBe(line[0]);
  });
}

/** Sends the lines one by one; returns early when the server rightly closes the connection. */
async function converse(connection: SmtpConnection, lines: string[], text: string): Promise<void> {
  for (const line of lines) {
    const reply = await connection.command(Buffer.from(line).toString("latin1"));
    expectReply(reply);
    // After STARTTLS the connection would have to continue in TLS.
    if (reply.code === 421 || reply.code === 221 || (reply.code === 220 && /^starttls/i.test(line))) return;
    if (reply.code !== 354) continue;
    const subject = `fuzz ${++count}`;
    connection.write(`From: eve@there.test\r\nSubject: ${subject}\r\n\r\n${text}\r\n.\r\n`);
    const outcome = await connection.read("message");
    expectReply(outcome);
    if (outcome.code === 250) accepted.push(subject);
    if (outcome.code === 421) return;
  }
}

test("every line gets a reply, whatever it says, and exactly the accepted mail is stored", {
  timeout: timeFor(150, 500),
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 10 }), body, async (lines, text) => {
      const connection = await SmtpConnection.greet({ port: host.smtpPort });
      try {
        await converse(connection, lines, text);
      } finally {
        connection.destroy();
      }
    }),
    tries(150),
  );
  await deliver({
    port: host.smtpPort,
    from: "eve@there.test",
    to: "ada@here.test",
    data: "Subject: after all\r\n\r\nx\r\n",
  });
  await until("an empty queue", async () => (await host.rows("SELECT id FROM incoming")).length === 0);
  const subjects = (await host.mails(ada)).map(({ subject }) => subject);
  expect(subjects.sort()).toEqual([...accepted, "after all"].sort());
  expect(accepted.length).toBeGreaterThan(0);
  expect(host.warnings).toEqual([]);
});

test("arbitrary bytes get a reply or a closed connection, and do not disturb other peers", {
  timeout: timeFor(40, 1_000),
}, async () => {
  const bytes = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(...["\r\n", "\r", "\n", "DATA\r\n", "MAIL FROM:<>\r\n"].map((text) => Buffer.from(text))),
    ),
    { maxLength: 10 },
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (pieces) => {
      const connection = await SmtpConnection.greet({ port: host.smtpPort });
      for (const piece of pieces) connection.write(piece);
      connection.write("\r\nQUIT\r\n");
      for (let reply = await connection.read(); ; reply = await connection.read()) {
        expectReply(reply);
        if (reply.code === 221 || reply.code === 421) break;
      }
      connection.destroy();
    }),
    tries(40),
  );
  await deliver({
    port: host.smtpPort,
    from: "eve@there.test",
    to: "ada@here.test",
    data: "Subject: in the end\r\n\r\nx\r\n",
  });
  await until("the good mail", async () => (await host.mails(ada)).some(({ subject }) => subject === "in the end"));
  expect(host.warnings).toEqual([]);
});
