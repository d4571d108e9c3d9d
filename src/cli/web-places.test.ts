import { once } from "node:events";
import { createServer as createHttp, get } from "node:http";
import { type AddressInfo, connect, type Server, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { generate } from "selfsigned";
import { afterEach, expect, test } from "vitest";
import { silentLog } from "../base/log.ts";
import { createHttps } from "./tls/https.ts";
import { createRedirect } from "./tls/redirect.ts";
import { WebPlaces, type WebPlacesOptions } from "./web-places.ts";

const servers: Server[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

const closed: string[] = [];
function placesFor(limits: Partial<WebPlacesOptions>): WebPlaces {
  closed.length = 0;
  return new WebPlaces({
    ...{ max: 100, maxOfNetwork: 100, maxBeginning: 100, maxBeginningOfNetwork: 100 },
    isExempt: () => false,
    onClosed: (reason) => void closed.push(reason),
    ...limits,
  });
}

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

/** A client that connects and says nothing; resolves once the server has it. */
async function idle(port: number, server: Server): Promise<Socket> {
  const heard = once(server, "connection");
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  sockets.push(socket);
  await heard;
  return socket;
}
const isClosed = (socket: Socket) => socket.closed || once(socket, "close").then(() => true);
const status = (port: number) =>
  new Promise<number | undefined>((resolve, reject) => {
    get({ host: "127.0.0.1", port, agent: false }, (res) => resolve(res.resume().statusCode)).on("error", reject);
  });

test("those that do nothing make room, the oldest first; those that were answered stay", async () => {
  const places = placesFor({ maxBeginning: 3 });
  const http = createHttp((_, res) => void res.end("ok"));
  places.guard(http);
  const port = await listen(http);
  const kept = await idle(port, http);
  kept.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(kept, "data");
  const silent = [];
  for (let at = 0; at < 5; at++) silent.push(await idle(port, http));
  expect(await isClosed(silent[0]!)).toBe(true);
  expect(await isClosed(silent[1]!)).toBe(true);
  expect(await status(port)).toBe(200);
  expect([kept.closed, silent[4]!.closed]).toEqual([false, false]);
  expect(new Set(closed)).toEqual(new Set(["all"]));
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => places.size).toBe(0);
});

test("one network has its share, and who is exempt has none", async () => {
  const places = placesFor({ maxOfNetwork: 2, max: 4 });
  const http = createHttp((_, res) => void res.end("ok"));
  places.guard(http);
  const port = await listen(http);
  const answered = async (): Promise<Socket> => {
    const socket = await idle(port, http);
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(socket, "data");
    return socket;
  };
  await answered();
  await answered();
  expect(await isClosed(await idle(port, http))).toBe(true);
  expect(closed).toEqual(["network"]);
  const other = createHttp((_, res) => void res.end("ok"));
  const exempt = placesFor({ maxOfNetwork: 1, max: 3, isExempt: () => true });
  exempt.guard(other);
  const otherPort = await listen(other);
  for (let at = 0; at < 3; at++) expect(await status(otherPort)).toBe(200);
});

test("a flood of half-open TLS handshakes keeps nobody out, and handshakes that are done do not count among them", async () => {
  const { cert, private: key } = await generate([{ name: "commonName", value: "x.test" }], { keySize: 2048 });
  const http = createHttp((_, res) => void res.end("ok"));
  const places = placesFor({ maxBeginningOfNetwork: 5 });
  const https = createHttps(http, {
    certificates: { current: { cert, key }, onChange: () => {} },
    challenges: undefined,
    log: silentLog,
  });
  places.guardTls(https);
  places.guard(http);
  const port = await listen(https);
  const secure = async () => {
    const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
    sockets.push(socket);
    await once(socket, "secureConnect");
    return socket;
  };
  const done = await Promise.all([secure(), secure(), secure()]);
  const half = [];
  for (let at = 0; at < 40; at++) {
    const socket = await idle(port, https);
    // The begin of a ClientHello.
    socket.write(Buffer.from("1603010200010001fc0303", "hex"));
    half.push(socket);
  }
  const late = await secure();
  late.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  expect(String((await once(late, "data"))[0])).toMatch(/^HTTP\/1\.1 200/);
  expect(half.filter((socket) => socket.closed).length).toBeGreaterThanOrEqual(30);
  expect(done.every((socket) => !socket.closed)).toBe(true);
});

test("the redirect closes a connection whose request does not end", async () => {
  const redirect = createRedirect({ publicUrl: "", port: 443, challenges: undefined });
  Object.assign(redirect, { requestTimeout: 300, headersTimeout: 300 });
  const port = await listen(redirect);
  const slow = await idle(port, redirect);
  const trickle = setInterval(() => slow.write("X"), 50);
  slow.write("GET / HTTP/1.1\r\n");
  slow.resume();
  expect(await isClosed(slow)).toBe(true);
  clearInterval(trickle);
}, 10_000);
