import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { generate } from "selfsigned";
import { afterEach, expect, test } from "vitest";
import { Conversation } from "./conversation.ts";

let peer: Server | undefined;
afterEach(() => void peer?.close());

async function talkTo(serve: (socket: Socket) => void): Promise<Conversation> {
  peer = createServer((socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  await once(peer.listen(0, "127.0.0.1"), "listening");
  const { port } = peer.address() as AddressInfo;
  const listener = { said: () => {} };
  return Conversation.open({ host: "127.0.0.1", port }, { listener, maxConnectMs: 5_000, maxIdleMs: 5_000 });
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
