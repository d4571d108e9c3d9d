import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { FairTurns } from "../../base/fair-turns.ts";
import { gate, gateOf } from "./gate.ts";

let server: Server;
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.closeAllConnections();
  server.close();
});

async function serve(listener: RequestListener): Promise<void> {
  server = createServer((req, res) => {
    gateOf(req).begin(req, res);
    listener(req, res);
  });
  gate(server, new FairTurns());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}

function open(): Socket {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.on("error", () => {});
  sockets.push(socket);
  return socket;
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const gets = (count: number) => Array.from({ length: count }, (_, at) => get(`/${at}`)).join("");

/** Everything received until so many answers are there or the connection ends. */
async function answers(socket: Socket, most: number): Promise<string[]> {
  let text = "";
  const count = () => text.split("HTTP/1.1 ").length - 1;
  for await (const chunk of socket) {
    text += chunk;
    if (count() >= most && text.endsWith("!")) break;
  }
  return text.split("HTTP/1.1 ").slice(1);
}

test("pipelined requests are all answered, in order, a few at a time", async () => {
  let underWay = 0;
  let most = 0;
  await serve(async (req, res) => {
    most = Math.max(most, ++underWay);
    await sleep(1);
    underWay--;
    res.end(`${req.url}!`);
  });
  const socket = open();
  socket.write(gets(500));
  const all = await answers(socket, 500);
  expect(all.map((answer) => /\n\/(\d+)!$/.exec(answer)?.[1])).toEqual(
    Array.from({ length: 500 }, (_, at) => String(at)),
  );
  expect(most).toBe(8);
});

test("requests are read as they were sent, with their bodies, however they are cut", async () => {
  await serve(async (req, res) => {
    let body = "";
    for await (const chunk of req) body += chunk;
    res.end(`${body.length}!`);
  });
  const bodies = ["", "\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "x".repeat(3_000)];
  const fixed = bodies.map((body) => `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n";
  const text = [...fixed, chunked, get("/")].join("");
  for (const size of [1, 7, 64, 10_000]) {
    const socket = open();
    const found = answers(socket, 6);
    for (let at = 0; at < text.length; at += size) {
      socket.write(text.slice(at, at + size));
      if (size < 64 && at % 50 === 0) await sleep(0);
    }
    expect((await found).map((answer) => /(\d+)!$/.exec(answer)?.[1])).toEqual(["0", "4", "18", "3000", "4", "0"]);
  }
});

test("a connection ends after many refusals in a row, but not if good requests come in between", async () => {
  await serve((req, res) => {
    res.statusCode = req.url === "/good" ? 200 : 404;
    res.end("!");
  });
  const hostile = open();
  hostile.write(gets(1_000));
  const refused = await answers(hostile, 1_000);
  expect(refused.length).toBeGreaterThan(99);
  expect(refused.length).toBeLessThan(120);
  expect(refused.at(-1)).toMatch(/^connection: close/im);
  const other = open();
  other.write((gets(50) + get("/good")).repeat(5));
  expect(await answers(other, 255)).toHaveLength(255);
});

test("a body that nobody reads stays in the socket", async () => {
  let sent = 0;
  await serve(() => {});
  const socket = open();
  const chunk = Buffer.alloc(65_536);
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${1_000 * chunk.length}\r\n\r\n`);
  for (; sent < 1_000; sent++) {
    const isTaken = new Promise<boolean>((resolve) => socket.write(chunk, () => resolve(true)));
    if (!(await Promise.race([isTaken, sleep(300, false)]))) break;
  }
  expect(sent).toBeLessThan(300);
});

test("further requests stay in the socket while answers are not read", async () => {
  let begun = 0;
  await serve((_req, res) => {
    begun++;
    res.end("x".repeat(1_000_000));
  });
  const socket = open();
  socket.pause();
  socket.write(gets(500));
  await sleep(300);
  expect(begun).toBeLessThan(30);
});

test("a request that waited for a client to read is still cut from its body and from the next request", async () => {
  let underWay = 0;
  let most = 0;
  await serve(async (req, res) => {
    req.resume();
    if (req.url === "/large") {
      res.end(`${"x".repeat(12_000_000)}!`);
      return;
    }
    most = Math.max(most, ++underWay);
    await sleep(req.url === "/second" ? 200 : 1);
    underWay--;
    res.end(`${req.url}!`);
  });
  const body = "x".repeat(20_000);
  const socket = open();
  socket.pause();
  // The HTTP server pauses at the second request, and resumes once the first answer is taken.
  socket.write(get("/large") + get("/second"));
  socket.write(`POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}${gets(300)}`);
  await sleep(100);
  const all = await answers(socket, 303);
  expect(all.slice(1).map((answer) => /\n(\/\w+)!$/.exec(answer)?.[1])).toEqual([
    "/second",
    "/post",
    ...Array.from({ length: 300 }, (_, at) => `/${at}`),
  ]);
  expect(most).toBe(8);
});

test("one connection's thousands of requests do not hold up another's", async () => {
  await serve((_req, res) => {
    const end = performance.now() + 1;
    while (performance.now() < end);
    res.end("!");
  });
  const hostile = open();
  hostile.resume();
  hostile.write(gets(2_000));
  await sleep(50);
  const begin = performance.now();
  const socket = open();
  socket.write(get("/"));
  await answers(socket, 1);
  // Serving all of the other connection's requests first would take two seconds.
  expect(performance.now() - begin).toBeLessThan(500);
});
