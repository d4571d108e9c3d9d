import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SmtpSink, startSink } from "../../../test/support/smtp-sink.ts";
import type { Parcel } from "./fitted.ts";
import { openSession, type Session, type Unreachable } from "./session.ts";
import { dotStuffed, transact } from "./transaction.ts";
import { Try } from "./tries.ts";

let sink: SmtpSink;
beforeAll(async () => {
  sink = await startSink();
});
afterAll(() => sink.stop());

const parcel = (recipients: string[], more: Partial<Parcel> = {}): Parcel => ({
  ...{ mailFrom: "eve@here.test", recipients, parameters: null, rcptParameters: new Map() },
  messageFor: async () => Buffer.from("Subject: x\r\n\r\nHello.\r\n"),
  ...more,
});
const serverAt = (port: number) => ({ name: "mx.sink.test", address: "127.0.0.1", port });
const newTry = () => new Try(new Date(), { name: "mx.sink.test", address: "127.0.0.1" });
const openTo = (port: number) => openSession(serverAt(port), "me.test", newTry());

/** A server that says these, one for each thing that it hears. */
async function scripted(
  ...replies: (string | ((socket: Socket) => void))[]
): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => {
    const next = () => {
      const reply = replies.shift();
      if (typeof reply === "function") reply(socket);
      else if (reply !== undefined) socket.write(reply);
    };
    socket.on("error", () => {});
    socket.on("data", next);
    next();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, server };
}

test("what a server offers is read from its reply to EHLO, after STARTTLS", async () => {
  sink.offer({ extensions: ["8BITMIME", "SMTPUTF8", "DSN"], size: 1_000 });
  const session = await openTo(sink.port);
  expect(session.offered).toMatchObject({ eightBit: true, utf8: true, size: 1_000, dsn: true, pipelining: false });
  expect(session.tls).toMatch(/^TLSv1\.3 TLS_/);
  session.conversation.quit();
});

test("parameters stand at their commands, and each further transaction begins with RSET", async () => {
  sink.reset();
  sink.offer();
  const session = await openTo(sink.port);
  const rcptParameters = new Map([["ada@there.test", { NOTIFY: "NEVER" }]]);
  const two = parcel(["ada@there.test", "bob@there.test"], { parameters: { RET: "HDRS" }, rcptParameters });
  expect(await transact(session, two)).toMatchObject([{ kind: "relayed" }, { kind: "relayed" }]);
  expect(await transact(session, parcel(["cy@there.test"]))).toMatchObject([{ kind: "relayed", reportsItself: true }]);
  session.conversation.quit();
  expect(sink.commands.filter((line) => /^(MAIL|RCPT|RSET|DATA)/.test(line))).toEqual([
    "MAIL FROM:<eve@here.test> RET=HDRS",
    "RCPT TO:<ada@there.test> NOTIFY=NEVER",
    "RCPT TO:<bob@there.test>",
    "DATA",
    "RSET",
    "MAIL FROM:<eve@here.test>",
    "RCPT TO:<cy@there.test>",
    "DATA",
  ]);
  expect(sink.messages.map(({ to }) => to.length)).toEqual([2, 1]);
});

const ready = ["220 hi\r\n", "250 hi\r\n"] as const;
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail("it worked"),
    (error: unknown) => (error as Unreachable).answer.smtpReply,
  );
async function withScript<T>(replies: Parameters<typeof scripted>, work: (session: Session) => Promise<T>): Promise<T> {
  const { port, server } = await scripted(...replies);
  try {
    return await work(await openTo(port));
  } finally {
    server.close();
  }
}

test.each([
  ["RSET", ["421 4.3.2 closing\r\n"], "421 4.3.2 closing"],
  ["MAIL", ["250 ok\r\n", "452 4.5.3 enough of you\r\n"], "452 4.5.3 enough of you"],
  ["RCPT", ["250 ok\r\n", "250 ok\r\n", "421 4.7.0 bye\r\n"], "421 4.7.0 bye"],
  ["DATA", ["250 ok\r\n", "250 ok\r\n", "250 ok\r\n", (socket: Socket) => socket.destroy()], /^451 4\.4\.2 /],
  ["the end of DATA", [...Array(3).fill("250 ok\r\n"), "354 go\r\n", "421 4.3.2 closing\r\n"], "421 4.3.2 closing"],
] as const)("a mail that was not handed over may be sent again: %s in a kept connection", async (_, replies, told) => {
  await withScript(
    [...ready, ...Array(2).fill("250 ok\r\n"), "354 go\r\n", "250 taken\r\n", ...replies],
    async (session) => {
      expect(await transact(session, parcel(["a@there.test"]))).toMatchObject([{ kind: "relayed" }]);
      expect(await failureOf(transact(session, parcel(["b@there.test"])))).toMatch(told);
      expect(session.conversation.isUsable).toBe(false);
    },
  );
});

test("a mail whose end got no reply may have been taken", async () => {
  const replies = [...ready, ...Array(2).fill("250 ok\r\n"), "354 go\r\n", (socket: Socket) => socket.end()];
  await withScript(replies, async (session) => {
    expect(await transact(session, parcel(["a@there.test"]))).toMatchObject([
      { kind: "deferred", smtpReply: expect.stringMatching(/^451 4\.4\.2 /) },
    ]);
  });
});

test("a refused MAIL of a new connection is the answer, and the connection stays in step", async () => {
  const pipelining = "250-hi\r\n250 PIPELINING\r\n";
  const both = "250 ok\r\n550 5.7.1 not you\r\n503 5.5.1 no\r\n503 5.5.1 no\r\n";
  const replies = [
    "220 hi\r\n",
    pipelining,
    "550 5.7.1 not you\r\n503 5.5.1 no\r\n354 go\r\n",
    "250 for nobody\r\n",
    both,
  ];
  await withScript(replies, async (session) => {
    expect(await transact(session, parcel(["a@there.test"]))).toMatchObject([
      { kind: "failed", smtpReply: "550 5.7.1 not you" },
    ]);
    expect(session.conversation.isUsable).toBe(true);
    expect(await failureOf(transact(session, parcel(["b@there.test"])))).toBe("550 5.7.1 not you");
  });
});

test.each([
  ["speaks between its reply to STARTTLS and TLS", ["220 go\r\n250 forged\r\n"], /^451 4\.4\.2 .*250 forged/],
  ["breaks the handshake off", ["220 go\r\n", (socket: Socket) => socket.destroy()], /^451 4\.7\.5 .*TLS/],
])("a server that %s gets nothing over TLS", async (_, replies, told) => {
  const { port, server } = await scripted("220 hi\r\n", "250-hi\r\n250 STARTTLS\r\n", ...replies);
  const required = { ...serverAt(port), requireTls: true };
  expect(await failureOf(openSession(required, "me.test", newTry()))).toMatch(told);
  server.close();
});

test("a certificate must be what the rules say, in which case nothing goes in plain text", async () => {
  const tls = { key: "x", isRequired: true };
  const open = (more: object) => openSession({ ...serverAt(sink.port), tls: { ...tls, ...more } }, "me.test", newTry());
  expect(await failureOf(open({ names: ["mx.sink.test"] }))).toMatch(/^451 4\.7\.5 .*self.signed certificate/);
  expect(await failureOf(open({ refuses: () => "no record fits" }))).toMatch(/^451 4\.7\.5 .*no record fits/);
  (await open({ refuses: () => undefined })).conversation.quit();
  const plain = await scripted("220 hi\r\n", "250 hi\r\n", "502 what\r\n");
  const stripped = openSession({ ...serverAt(plain.port), tls }, "me.test", newTry());
  expect(await failureOf(stripped)).toMatch(/^451 4\.7\.5 .*TLS refused: 502 what/);
  plain.server.close();
});

test.each([
  ["a\r\n", "a\r\n.\r\n"],
  ["a", "a\r\n.\r\n"],
  [".a\r\n.\r\n..b\r\n", "..a\r\n..\r\n...b\r\n.\r\n"],
  ["", ".\r\n"],
])("%j is sent as %j", (message, octets) => {
  expect(Buffer.concat(dotStuffed(Buffer.from(message))).toString()).toBe(octets);
});
