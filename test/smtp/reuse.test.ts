import { createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { until } from "../support/ports.ts";
import { get, host, mail, sent, useOutbox } from "./outbox.ts";

useOutbox();

/** A remote server that counts its connections and misbehaves as told. */
let peer: Server;
const open = new Set<Socket>();
let opened = 0;
let taken: { connection: number; subject: string; at: number }[] = [];
/** A reply instead of the usual one; "" for none, and undefined for the usual one. May act on the socket. */
let misbehave: (line: string, transaction: number, socket: Socket) => string | undefined = () => undefined;

/** No reply, after something else was done. */
const quietly = (_: Socket) => "";

function converse(socket: Socket): void {
  const connection = ++opened;
  let transaction = 0;
  let data: string[] | undefined;
  const usual = (line: string): string => {
    if (line === "") return "220 mx.far.test ESMTP";
    if (line.startsWith("EHLO")) return "250-mx.far.test\r\n250 PIPELINING";
    if (line === "QUIT") setImmediate(() => socket.end());
    return line === "QUIT" ? "221 bye" : line === "DATA" ? "354 go" : "250 ok";
  };
  const hear = (line: string) => {
    if (data && line !== ".") return void data.push(line);
    if (line.startsWith("MAIL")) transaction++;
    const odd = misbehave(line, transaction, socket);
    const reply = odd ?? usual(line);
    if (line === "." && data && reply.startsWith("250")) {
      const subject = data.find((one) => one.startsWith("Subject: "))!.slice(9);
      taken.push({ connection, subject, at: Date.now() });
    }
    data = reply.startsWith("354") ? [] : undefined;
    if (reply !== "" && socket.writable) socket.write(`${reply}\r\n`);
  };
  open.add(socket);
  socket.on("error", () => {});
  socket.on("close", () => open.delete(socket));
  let rest = "";
  socket.on("data", (chunk) => {
    const lines = (rest + chunk).split("\r\n");
    rest = lines.pop()!;
    for (const line of lines) hear(line);
  });
  hear("");
}

beforeAll(async () => {
  peer = createServer({ allowHalfOpen: true }, converse);
  await new Promise<void>((resolve) => peer.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  for (const socket of open) socket.destroy();
  await new Promise<void>((resolve) => peer.close(() => resolve()));
});
beforeEach(async () => {
  await host.mailOut?.close();
  for (const socket of open) socket.destroy();
  host.startMailOut((peer.address() as { port: number }).port);
  misbehave = () => undefined;
  opened = 0;
  taken = [];
});

const send = async (subject: string, to = "x@far.test") => (await sent(await mail(to, subject))).id;
const replyTo = async (id: string, to = "x@far.test") => (await get(id)).deliveryStatus[to]!;
const arrived = (...subjects: string[]) =>
  until(`mail ${subjects.join(", ")}`, () => subjects.every((one) => taken.some(({ subject }) => subject === one)));
test("mails ride one connection one after the other, each with the whole talk in its transcript", async () => {
  const ids: string[] = [];
  for (const subject of ["One", "Two", "Three"]) {
    ids.push(await send(subject));
    await arrived(subject);
    await host.mailOut!.idle();
  }
  expect(taken.map(({ connection }) => connection)).toEqual([1, 1, 1]);
  const transcripts = (await host.rows("SELECT transcript FROM attempt ORDER BY at")).map((row) => row.transcript);
  expect(transcripts[2]).toMatch(
    /^S: 220 mx\.far\.test ESMTP\nC: EHLO [\s\S]*\n\* the same connection, after 2 others\nC: RSET\nC: MAIL FROM:<ada@here\.test>\nC: RCPT TO:<x@far\.test>[\s\S]*S: 354 go\nS: 250 ok$/,
  );
  await host.mailOut!.close();
  await until("the connection is closed", () => open.size === 0);
});

test("mails that wait together for one destination share few connections", async () => {
  await Promise.all(Array.from({ length: 30 }, (_, at) => send(`Many ${at}`)));
  await until("all", () => taken.length === 30);
  expect(opened).toBeLessThanOrEqual(5);
  expect(new Set(taken.map(({ subject }) => subject)).size).toBe(30);
});

test.each([
  ["says 421 to RSET", (line: string) => (line === "RSET" ? "421 4.3.2 closing" : undefined)],
  [
    "takes one message a connection",
    (line: string, n: number) => (line.startsWith("MAIL") && n > 1 ? "452 4.5.3 one" : undefined),
  ],
  [
    "refuses a second message",
    (line: string, n: number) => (line.startsWith("MAIL") && n > 1 ? "550 5.7.1 one" : undefined),
  ],
  ["says 421 to RCPT", (line: string, n: number) => (line.startsWith("RCPT") && n > 1 ? "421 4.7.0 bye" : undefined)],
  ["says 421 to DATA", (line: string, n: number) => (line === "DATA" && n > 1 ? "421 4.3.2 bye" : undefined)],
  ["says 421 at the end", (line: string, n: number) => (line === "." && n > 1 ? "421 4.3.2 bye" : undefined)],
  [
    "dies between MAIL and DATA",
    (line: string, n: number, socket: Socket) =>
      n > 1 && line === "DATA" ? quietly(socket.resetAndDestroy()) : undefined,
  ],
  [
    "closes its side only",
    (line: string, n: number, socket: Socket) => (n > 1 && line.startsWith("MAIL") ? quietly(socket.end()) : undefined),
  ],
] as const)("a server that %s in a kept connection gets the mail at once in a new one", async (_, how) => {
  await send("First");
  await arrived("First");
  await host.mailOut!.idle();
  misbehave = (line, transaction, socket) => (opened === 1 ? how(line, transaction, socket) : undefined);
  const id = await send("Second");
  await arrived("Second");
  await host.mailOut!.idle();
  expect(taken.map(({ subject, connection }) => [subject, connection])).toEqual([
    ["First", 1],
    ["Second", 2],
  ]);
  expect(await replyTo(id)).toMatchObject({ smtpReply: "250 ok", delivered: "unknown" });
});

test("a connection that the server closes or speaks in while it waits is not used", async () => {
  for (const farewell of ["421 4.4.2 idle too long\r\n", ""]) {
    taken = [];
    await send("Before");
    await arrived("Before");
    await host.mailOut!.idle();
    const before = opened;
    for (const socket of open) socket.end(farewell);
    await until("it is gone", () => open.size === 0);
    await send("After");
    await arrived("After");
    expect(opened).toBe(before + 1);
    await host.mailOut!.idle();
  }
});

test("a new connection that is lost before the message is handed over is tried once more, and then later", async () => {
  misbehave = (line) => (line.startsWith("RCPT") ? "421 4.3.2 not now" : undefined);
  const id = await send("Later");
  await until("an answer", async () => (await replyTo(id)).smtpReply === "421 4.3.2 not now");
  expect(await replyTo(id)).toMatchObject({ delivered: "queued" });
  expect(opened).toBe(2);
});

test("a message whose end got no reply is not sent again at once", async () => {
  misbehave = (line, _, socket) => (line === "." ? quietly(socket.destroy()) : undefined);
  const id = await send("Doubtful");
  await until("an answer", async () => (await replyTo(id)).smtpReply.startsWith("451 4.4.2"));
  await host.mailOut!.idle();
  expect(opened).toBe(1);
  misbehave = () => undefined;
  host.clock.ahead += 3 * 60_000;
  host.mailOut!.wake();
  await arrived("Doubtful");
});
