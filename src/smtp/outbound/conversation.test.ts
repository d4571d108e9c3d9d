import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { generate } from "selfsigned";
import { afterEach, expect, test } from "vitest";
import { Conversation, type Patience } from "./conversation.ts";

let peer: Server | undefined;
afterEach(() => void peer?.close());

async function talkTo(serve: (socket: Socket) => void, patience?: Patience): Promise<Conversation> {
  peer = createServer((socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  await once(peer.listen(0, "127.0.0.1"), "listening");
  const { port } = peer.address() as AddressInfo;
  const listener = { said: () => {} };
  const limits = { maxConnectMs: 5_000, maxIdleMs: 5_000, ...(patience && { patience }) };
  return Conversation.open({ host: "127.0.0.1", port }, { listener, ...limits });
}

test.each([
  ["a whole reply", "250 injected\r\n"],
  ["the begin of a reply of several lines", "250-AUTH PLAIN\r\n"],
  ["the begin of a line", "250-AU"],
])("%s that comes after the answer to STARTTLS, before TLS, is nobody's", async (_, injected) => {
  const { cert, private: key } = await generate([{ name: "commonName", value: "mx.test" }], { keySize: 2048 });
  const conversation = await talkTo((socket) => {
    socket.once("data", () => {
      socket.write(`220 go ahead\r\n${injected}`);
      const secure = new TLSSocket(socket, { isServer: true, cert, key });
      secure.on("error", () => {});
      secure.on("data", () => secure.write("250-mx.test\r\n250 SIZE\r\n"));
    });
  });
  expect(await conversation.command("STARTTLS")).toEqual({ code: 220, text: "220 go ahead" });
  await expect(conversation.startTls({ rejectUnauthorized: false }, 5_000)).rejects.toThrow();
  expect(conversation.isUsable).toBe(false);
});

const impatient: Patience = { maxReplyMs: 300, minOctets: 10_000, windowMs: 100 };

test("a reply that is trickled, each octet in time, is late all the same", async () => {
  const conversation = await talkTo((socket) => {
    socket.once("data", () => {
      const trickle = setInterval(() => socket.write("2"), 20);
      socket.on("close", () => clearInterval(trickle));
    });
  }, impatient);
  await expect(conversation.command("MAIL FROM:<a@here.test>")).rejects.toThrow("no whole reply in time");
});

test("each reply has its own time", async () => {
  const conversation = await talkTo((socket) => {
    socket.on("data", () => void setTimeout(() => socket.write("250 ok\r\n"), 150));
  }, impatient);
  for (let time = 0; time < 4; time++) expect(await conversation.command("NOOP")).toMatchObject({ code: 250 });
  const replies = conversation.commands(["NOOP", "NOOP"]);
  expect(await replies[0]).toMatchObject({ code: 250 });
  await expect(replies[1]).rejects.toThrow("no whole reply in time");
});

test("a message of any size goes to whoever takes it, and not to whoever takes a little now and then", async () => {
  const message = [Buffer.alloc(3_000_000, "x"), Buffer.from("\r\n.\r\n")];
  let octets = 0;
  const good = await talkTo((socket) => {
    socket.on("data", (some: Buffer) => {
      octets += some.length;
      if (some.subarray(-5).toString() === "\r\n.\r\n") socket.write("250 taken\r\n");
    });
  }, impatient);
  void good.pour(message);
  expect(await good.reply()).toMatchObject({ code: 250 });
  expect(octets).toBe(3_000_005);
  good.destroy();
  peer!.close();
  const slow = await talkTo((socket) => void socket.pause(), impatient);
  void slow.pour([Buffer.alloc(30_000_000, "x"), ...message]);
  await expect(slow.reply()).rejects.toThrow("too slowly");
});
