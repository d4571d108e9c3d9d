import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/ports.ts";
import { type MailHost, startMailHost } from "./host.ts";

let host: MailHost;
let ada: number;

beforeAll(async () => {
  host = await startMailHost();
  await host.listen();
  ada = await host.account("ada@here.test");
});
afterAll(() => host.stop());

/** A peer that can close its own side and still read. */
class Peer {
  readonly socket: Socket;
  heard = "";
  hasEnded = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (part: Buffer) => {
      this.heard += part.toString("latin1");
    });
    socket.on("end", () => {
      this.hasEnded = true;
    });
  }

  /** Sends a line, and waits for a reply that begins with this. */
  async say(text: string, code: string): Promise<void> {
    const from = this.heard.length;
    this.socket.write(text);
    await until(`${code} to ${text.slice(0, 40)}`, () =>
      new RegExp(`^${code} .*\r\n`, "m").test(this.heard.slice(from)),
    );
  }

  /** Closes our side; returns all that still arrives until the server closes its own. */
  async lastWords(text: string): Promise<string> {
    const from = this.heard.length;
    this.socket.end(text);
    await until("the other side closes too", () => this.hasEnded, { timeoutMs: 3_000 });
    return this.heard.slice(from).replace(/^354.*\r\n/gm, "");
  }
}

async function plain(): Promise<Peer> {
  const peer = new Peer(connect({ port: host.smtpPort, host: "127.0.0.1", allowHalfOpen: true }));
  await until("a greeting", () => peer.heard.startsWith("220 "));
  await peer.say("EHLO there.test\r\n", "250");
  return peer;
}

async function encrypted(): Promise<Peer> {
  const first = await plain();
  await first.say("STARTTLS\r\n", "220");
  first.socket.removeAllListeners("data");
  const secure = connectTls({ socket: first.socket, rejectUnauthorized: false });
  await once(secure, "secureConnect");
  const peer = new Peer(secure);
  await peer.say("EHLO there.test\r\n", "250");
  return peer;
}

const ways = [
  ["in the clear", plain],
  ["over TLS", encrypted],
] as const;

const transaction = "MAIL FROM:<eve@there.test>\r\nRCPT TO:<ada@here.test>\r\nDATA\r\n";
const stored = async (subject: string) => (await host.mails(ada)).filter((mail) => mail.subject === subject).length;

test.each(ways)("a peer that closes its side after QUIT gets 250 and 221, %s", async (way, open) => {
  const peer = await open();
  await peer.say(transaction, "354");
  const subject = `quits ${way}`;
  const words = await peer.lastWords(`Subject: ${subject}\r\n\r\nHello.\r\n.\r\nQUIT\r\n`);
  expect(words).toMatch(/^250 2\.6\.0 accepted as \S+\r\n221 2\.0\.0 .*\r\n$/);
  await until("the mail", async () => (await stored(subject)) === 1);
});

test.each(ways)("a peer that sends all at once and closes its side gets every reply, %s", async (way, open) => {
  const peer = await open();
  const subject = `all at once ${way}`;
  const message = (at: number) => `${transaction}Subject: ${subject}\r\n\r\nHello ${at}.\r\n.\r\n`;
  const words = await peer.lastWords(`${message(1)}RCPT TO:<x@here.test>\r\n${message(2)}`);
  expect(words.split("\r\n").map((line) => line.slice(0, 9))).toEqual([
    "250 2.1.0",
    "250 2.1.5",
    "250 2.6.0",
    "503 5.5.1",
    "250 2.1.0",
    "250 2.1.5",
    "250 2.6.0",
    "",
  ]);
  await until("the mails", async () => (await stored(subject)) === 2);
});

test.each(ways)("when a peer closes its side and waits for nothing, so do we at once, %s", async (_, open) => {
  const [silent, inTransaction, unended] = [await open(), await open(), await open()];
  await inTransaction.say("MAIL FROM:<eve@there.test>\r\n", "250");
  expect(await silent.lastWords("")).toBe("");
  expect(await inTransaction.lastWords("")).toBe("");
  expect(await unended.lastWords("NOOP")).toBe("");
});

test.each(ways)("a peer that closes its side within DATA leaves nothing behind, %s", async (way, open) => {
  const peer = await open();
  const subject = `broken off ${way}`;
  await peer.say(transaction, "354");
  expect(await peer.lastWords(`Subject: ${subject}\r\n\r\n${"Hello.\r\n".repeat(1_000)}`)).toBe("");
  await until("a word of it", () => host.events.some(({ event }) => event === "mail broken off by its sender"));
  host.events.length = 0;
  expect(host.heard.told.filter(([name]) => name === "mailRefused")).toEqual([]);
  expect(await host.rows("SELECT id FROM incoming")).toEqual([]);
  expect(await stored(subject)).toBe(0);
  expect(host.warnings).toEqual([]);
});

test("when a peer closes its side before the greeting or within the handshake, so do we at once", async () => {
  const early = new Peer(connect({ port: host.smtpPort, host: "127.0.0.1", allowHalfOpen: true }));
  await early.lastWords("");
  const handshaking = await plain();
  await handshaking.say("STARTTLS\r\n", "220");
  await handshaking.lastWords("\x16\x03\x01");
});

test("no socket is left open", async () => {
  const began = Date.now();
  // Closing the server waits for open connections.
  await host.smtpIn!.close();
  expect(Date.now() - began).toBeLessThan(2_000);
});
