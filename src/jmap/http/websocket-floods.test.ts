import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Login } from "../../auth/login.ts";
import { silentEvents } from "../../base/events.ts";
import { FairTurns } from "../../base/fair-turns.ts";
import { silentLog } from "../../base/log.ts";
import { OwnPlaceLimit } from "../../base/own-counts.ts";
import { ProcessBus } from "../../push/bus.ts";
import type { Store } from "../../store/core/store.ts";
import { Arrivals } from "../arrivals.ts";
import { OctetPool } from "../octets.ts";
import { Proxies } from "./address.ts";
import { gate } from "./gate.ts";
import { createWebSocketUpgrade, type WebSocketDeps } from "./websocket.ts";

type Message = Record<string, unknown>;

const login: Login = { login: "ann@example.org", userId: 1, credential: "password", accounts: [] };
const echo = { using: ["urn:ietf:params:jmap:core"], methodCalls: [["Core/echo", { a: 1 }, "0"]] };

let bus: ProcessBus;
let deps: WebSocketDeps;
let server: Server;
let clients: WebSocket[];

beforeEach(async () => {
  clients = [];
  bus = new ProcessBus({ store: {} as Store, log: silentLog });
  server = createServer();
  gate(server, new FairTurns());
  deps = {
    bus,
    log: silentLog,
    events: silentEvents,
    random: randomBytes,
    draining: new AbortController().signal,
    authenticate: async () => login,
    processRequest: async (_login, body) => ({ methodResponses: (body as Message).methodCalls }),
    inTurn: (_login, _connection, run) => new OctetPool(10_000_000, 10_000_000).leased(run),
    arrivals: new Arrivals(1_000_000, 300_000, 300),
    proxies: new Proxies({ trusted: [], publicUrl: "", log: silentLog }),
    trustedOrigins: [],
    maxSizeRequest: 100_000,
    places: new OwnPlaceLimit(64),
  };
  server.on("upgrade", createWebSocketUpgrade(deps));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(async () => {
  for (const client of clients) client.terminate();
  server.close();
  await bus.close();
});

/** A connection whose messages are read one by one. */
async function open() {
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/jmap/ws`, "jmap");
  clients.push(client);
  client.on("error", () => {});
  const queue: Message[] = [];
  const waiting: ((message: Message) => void)[] = [];
  client.on("message", (data) => {
    const message = JSON.parse(String(data)) as Message;
    const wake = waiting.shift();
    if (wake) wake(message);
    else queue.push(message);
  });
  await once(client, "open");
  return {
    client,
    send: (message: unknown) => client.send(JSON.stringify(message)),
    next: (): Promise<Message> => {
      const message = queue.shift();
      return message ? Promise.resolve(message) : new Promise((resolve) => waiting.push(resolve));
    },
    closed: once(client, "close").then(([code, reason]) => ({ code, reason: String(reason) })),
  };
}

test("the connection ends after many invalid messages in a row, not after many in total", async () => {
  const { send, next, closed } = await open();
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < 60; index++) send({ "@type": "x" });
    send({ "@type": "Request", id: "R", ...echo });
    for (let index = 0; index < 60; index++) expect((await next())["@type"]).toBe("RequestError");
    expect((await next()).requestId).toBe("R");
  }
  for (let index = 0; index < 101; index++) send({ "@type": "x" });
  expect((await closed).code).toBe(1008);
});

test("the connection ends when a message is not whole in time, whatever pings come meanwhile", async () => {
  deps.messageTimeoutMs = 200;
  for (const compress of [false, true]) {
    const { client, closed } = await open();
    client.on("close", () => clearInterval(pinging));
    const pinging = setInterval(() => client.ping(), 20);
    client.send("[", { fin: false, compress });
    expect(await closed).toEqual({ code: 1008, reason: "the message took too long" });
  }
});

test("messages that come slowly, in parts, are answered when they are whole", async () => {
  const { client, next } = await open();
  const text = JSON.stringify({ "@type": "Request", id: "R", ...echo });
  for (const part of text) {
    client.send(part, { fin: false });
    client.ping();
  }
  client.send(" ", { fin: true });
  expect((await next()).requestId).toBe("R");
});

test.each([
  ["nothing", []],
  ["one octet of a frame", [0x81]],
  ["a frame whose length is not all there", [0x81, 0xfe, 0x01]],
  ["a frame without its mask", [0x81, 0x85]],
  ["a part of a payload", [0x81, 0x85, 0, 0, 0, 0, 0x7b]],
])("a client that ends after %s is let go", async (_what, octets) => {
  const { client, closed } = await open();
  const { _socket: socket } = client as unknown as { _socket: Socket };
  socket.end(Buffer.from(octets));
  expect((await closed).code).toBe(1006);
});

test("unfinished messages are bounded for each login: the oldest is given up, small ones always pass", async () => {
  const large = { fin: false, compress: true };
  const holders = await Promise.all(Array.from({ length: 5 }, open));
  for (const { client } of holders) client.send(randomBytes(30_000).toString("base64"), large);
  const { send, next } = await open();
  send({ "@type": "Request", id: "R", ...echo });
  expect((await next()).requestId).toBe("R");
  const ends = await Promise.race(holders.map(({ closed }) => closed));
  expect(ends).toEqual({ code: 1013, reason: "too many octets are arriving" });
});

test("a flood of pings is answered as fast as the client reads, and holds up nobody", async () => {
  const { client, send, next } = await open();
  client.pause();
  for (let index = 0; index < 5_000; index++) client.ping("x".repeat(100));
  const { next: answer, send: ask } = await open();
  ask({ "@type": "Request", id: "other", ...echo });
  expect((await answer()).requestId).toBe("other");
  let pongs = 0;
  client.on("pong", () => pongs++);
  client.resume();
  send({ "@type": "Request", id: "R", ...echo });
  expect((await next()).requestId).toBe("R");
  expect(pongs).toBe(5_000);
});
