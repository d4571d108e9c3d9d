import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { freePorts, until } from "../support/ports.ts";
import { ada, get, host, mail, type Submission, sent, sink, useOutbox } from "./outbox.ts";

useOutbox();

let peer: Server | undefined;
const open = new Set<Socket>();
afterEach(async () => {
  for (const socket of open) socket.destroy();
  await new Promise<void>((resolve) => (peer ? peer.close(() => resolve()) : resolve()));
  peer = undefined;
  await host.mailOut?.close();
  host.startMailOut(sink.port);
});

/** A remote server that replies as scripted, line by line; undefined is no reply. */
async function misbehave(reply: (line: string, socket: Socket) => string | undefined): Promise<void> {
  peer = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    const say = (line: string) => {
      const text = reply(line, socket);
      if (text !== undefined) socket.write(text);
    };
    let isData = false;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      for (const line of text.split("\r\n").slice(0, -1)) {
        if (isData && line !== ".") continue;
        isData = line === "DATA";
        say(line);
      }
    });
    say("greeting");
  });
  await new Promise<void>((resolve) => peer!.listen(0, "127.0.0.1", resolve));
  await host.mailOut?.close();
  host.startMailOut((peer.address() as { port: number }).port);
}

const usual = (line: string) => {
  if (line === "greeting") return "220 mx.far.test ESMTP\r\n";
  if (/^(EHLO|HELO)/.test(line)) return "250-mx.far.test\r\n250 SIZE 1000000\r\n";
  if (line === "DATA") return "354 go\r\n";
  return "250 ok\r\n";
};

async function outcome(to = "far.test"): Promise<{ smtpReply: string; delivered: string }> {
  const submission: Submission = await sent(await mail(`x@${to}`, "hello"));
  return until(
    "an answer",
    async () => {
      const status = (await get(submission.id)).deliveryStatus[`x@${to}`]!;
      return /^250 2\.\d\.\d .*queued/.test(status.smtpReply) ? undefined : status;
    },
    { timeoutMs: 30_000 },
  );
}

test.each([
  [
    "greets with a line without end",
    (line: string) => (line === "greeting" ? `220 ${"x".repeat(10_000_000)}` : undefined),
  ],
  ["greets without end", (line: string) => (line === "greeting" ? "220-x\r\n".repeat(2_000_000) : undefined)],
  ["answers EHLO without end", (line: string) => (/^EHLO/.test(line) ? "250-x\r\n".repeat(2_000_000) : usual(line))],
  ["answers MAIL with garbage", (line: string) => (/^MAIL/.test(line) ? "what?\r\n" : usual(line))],
  ["answers the end of DATA with garbage", (line: string) => (line === "." ? "\0\0\0\r\n" : usual(line))],
  [
    "answers the end of DATA with a line of 10 MB",
    (line: string) => (line === "." ? `250 ${"x".repeat(1e7)}\r\n` : usual(line)),
  ],
])(
  "a server that %s defers the mail",
  async (_, reply) => {
    await misbehave(reply);
    const { smtpReply, delivered } = await outcome();
    expect(delivered).toBe("queued");
    expect(smtpReply).toMatch(/^[45]\d\d /);
    expect(smtpReply.length).toBeLessThan(2_100);
  },
  60_000,
);

test("a server that hangs up instead of answering after DATA defers the mail", async () => {
  await misbehave((line, socket) => {
    if (line !== ".") return usual(line);
    socket.destroy();
    return undefined;
  });
  expect(await outcome()).toMatchObject({ delivered: "queued", smtpReply: expect.stringMatching(/^451 4\.4\.2 /) });
}, 60_000);

test("a refused connection is reported in words, in the report to the sender too", async () => {
  const [port] = await freePorts(1);
  await host.mailOut?.close();
  host.startMailOut(port!);
  const submission = await sent(await mail("x@far.test", "Closed"));
  const told = (delivered: string) =>
    until("an answer", async () => {
      const status = (await get(submission.id)).deliveryStatus["x@far.test"]!;
      return status.delivered === delivered && status.smtpReply.startsWith("451") && status.smtpReply;
    });
  const words = "451 4.4.1 mx.far.test [127.0.0.1]: connection refused";
  expect(await told("queued")).toBe(words);
  await host.mailOut!.idle();
  host.clock.ahead += 5 * 86_400_000;
  host.mailOut!.wake();
  expect(await told("no")).toBe(words);
  const report = (await host.mails(ada)).find(({ subject }) => subject === "Undelivered: Closed")!;
  expect(report.raw).toContain(`x@far.test\r\n    ${words}\r\n`);
  expect(report.raw).toContain(`Status: 4.4.1\r\nRemote-MTA: dns; mx.far.test\r\nDiagnostic-Code: smtp; ${words}\r\n`);
});

test.each([
  ["hangs up without a greeting", "greeting", "4.4.2 mx.far.test [127.0.0.1]: connection closed"],
  ["hangs up on EHLO", "EHLO", "4.4.2 mx.far.test [127.0.0.1]: connection closed"],
  ["hangs up on MAIL", "MAIL", "4.4.2 mx.far.test [127.0.0.1]: connection closed"],
  ["resets the connection on RCPT", "RCPT", "4.4.2 mx.far.test [127.0.0.1]: connection reset"],
])("a server that %s is reported in words", async (what, command, words) => {
  await misbehave((line, socket) => {
    if (!line.startsWith(command)) return usual(line);
    if (/resets/.test(what)) socket.resetAndDestroy();
    else socket.end();
    return undefined;
  });
  expect((await outcome()).smtpReply).toBe(`451 ${words}`);
});

test("a nonsensical greeting is reported in words", async () => {
  await misbehave((line) => (line === "greeting" ? "hello there\r\n" : usual(line)));
  expect((await outcome()).smtpReply).toBe("451 4.5.0 mx.far.test [127.0.0.1]: a reply that is none: hello there");
});

test("a server with a broken STARTTLS gets the mail without TLS", async () => {
  await misbehave((line, socket) => {
    if (/^EHLO/.test(line)) return "250-mx.far.test\r\n250 STARTTLS\r\n";
    if (line !== "STARTTLS") return usual(line);
    socket.once("data", () => socket.write("this is no TLS at all, not in the least\r\n"));
    return "220 go\r\n";
  });
  expect((await outcome()).smtpReply).toBe("250 ok");
}, 60_000);

test.each([
  ["an address instead of a name", "127.0.0.1", /^250 /],
  ["a name with odd bytes", "m x\u0001_.far.test", /^451 4\.4\.3 /],
])(
  "an MX with %s does no harm",
  async (_, exchange, expected) => {
    host.dns.set("odd.test", "MX", { preference: 10, exchange });
    const { smtpReply } = await outcome("odd.test");
    expect(smtpReply).toMatch(expected);
  },
  60_000,
);

test("CNAME loops and missing DNS answers are reported as such", async () => {
  host.dns.set("loop.test", "CNAME", "pool.test");
  host.dns.set("pool.test", "CNAME", "loop.test");
  expect(await outcome("loop.test")).toMatchObject({
    delivered: "no",
    smtpReply: expect.stringMatching(/^550 5\.1\.2 /),
  });
  host.dns.fail("silent.test", "SERVFAIL");
  expect(await outcome("silent.test")).toMatchObject({
    delivered: "queued",
    smtpReply: "451 4.4.3 DNS did not answer",
  });
}, 60_000);
