import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { startServer, type TestServer } from "./support/server.ts";

/** More than the buffers of an unread connection can hold. */
const big = 9_000_000;
const maxUnderWay = 8;
const pollOptions = { timeout: 10_000 };
const core = "urn:ietf:params:jmap:core";

let server: TestServer;
const sockets: Socket[] = [];
const ann = basic("ann@slow.example");

function basic(address: string): string {
  return `Basic ${Buffer.from(`${address}:sesame`).toString("base64")}`;
}

beforeAll(async () => {
  server = await startServer({ isShared: true });
  await server.addAccount("ann@slow.example", "sesame");
  await server.addAccount("bob@slow.example", "sesame");
}, 120_000);
afterAll(() => server?.dispose());
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

function echo(length: number): string {
  return JSON.stringify({ using: [core], methodCalls: [["Core/echo", { text: "x".repeat(length) }, "0"]] });
}

async function call(authorization: string, body = echo(1)): Promise<number> {
  const headers = { authorization, "content-type": "application/json" };
  const response = await fetch(`${server.url}/jmap/api`, { method: "POST", headers, body });
  await response.arrayBuffer();
  return response.status;
}

/** A small request with a large answer. */
async function largeAnswer(): Promise<string> {
  const { accountId, blobId } = await uploaded();
  const args = { accountId, ids: [blobId], properties: ["data:asText"] };
  return JSON.stringify({ using: [core, "urn:ietf:params:jmap:blob"], methodCalls: [["Blob/get", args, "0"]] });
}

/**
 * Sends a request and reads just enough of its answer to see that it was accepted. It is sent again while the octets of the
 * answers before it are not yet given back.
 */
async function stall(request: string): Promise<Socket> {
  for (;;) {
    const socket = connect(server.httpPort, "127.0.0.1");
    sockets.push(socket);
    socket.on("error", () => {});
    socket.write(request);
    await once(socket, "readable");
    if (String(socket.read("HTTP/1.1 200".length)) !== "HTTP/1.1 503") return socket;
    socket.destroy();
  }
}

function post(body: string): string {
  const headers = `Host: x\r\nAuthorization: ${ann}\r\nContent-Type: application/json`;
  return `POST /jmap/api HTTP/1.1\r\n${headers}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

test("an unread answer counts as a request under way until its client disconnects", async () => {
  const request = await largeAnswer();
  const stalled = await Promise.all(Array.from({ length: maxUnderWay }, () => stall(post(request))));
  expect(await call(ann)).toBe(429);
  expect(await call(basic("bob@slow.example"))).toBe(200);
  for (const socket of stalled) socket.destroy();
  await expect.poll(() => call(ann), pollOptions).toBe(200);
});

test("a login that leaves large answers unread has further large requests refused; other logins do not", async () => {
  const stalled = [await stall(post(echo(big))), await stall(post(echo(big)))];
  expect(await call(ann, echo(big))).toBe(503);
  expect(await call(ann)).toBe(200);
  expect(await call(basic("bob@slow.example"), echo(big))).toBe(200);
  for (const socket of stalled) socket.destroy();
  await expect.poll(() => call(ann, echo(big)), pollOptions).toBe(200);
});

test("answers queued behind an unread one give their turns back, too", async () => {
  // Small requests, so that all are read before the first answer fills the connection.
  const socket = await stall(post(await largeAnswer()) + post(echo(2)).repeat(maxUnderWay - 1));
  await expect.poll(() => call(ann), pollOptions).toBe(429);
  socket.destroy();
  await expect.poll(() => call(ann), pollOptions).toBe(200);
});

test("unread answers over a WebSocket give their turns back, too", async () => {
  const url = `${server.url.replace("http", "ws")}/jmap/ws`;
  const clients = await Promise.all(
    Array.from({ length: maxUnderWay }, async () => {
      const client = new WebSocket(url, ["jmap"], { headers: { authorization: ann }, perMessageDeflate: false });
      await once(client, "open");
      client.pause();
      client.send(JSON.stringify({ "@type": "Request", ...JSON.parse(echo(big)) }));
      return client;
    }),
  );
  await expect.poll(() => call(ann), pollOptions).toBe(429);
  for (const client of clients) client.terminate();
  await expect.poll(() => call(ann), pollOptions).toBe(200);
});

/** Uploads a blob; returns its path and a request for it. */
async function uploaded() {
  const headers = { authorization: ann };
  const session = (await (await fetch(`${server.url}/jmap/session`, { headers })).json()) as {
    primaryAccounts: Record<string, string>;
  };
  const accountId = Object.values(session.primaryAccounts)[0]!;
  const upload = `${server.url}/jmap/upload/${accountId}/`;
  const response = await fetch(upload, { method: "POST", headers, body: Buffer.alloc(big, "x") });
  const { blobId } = (await response.json()) as { blobId: string };
  const path = `/jmap/download/${accountId}/${blobId}/x`;
  return { accountId, blobId, path, request: `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${ann}\r\n\r\n` };
}

test("downloads of one login wait for one another", async () => {
  const { path, request } = await uploaded();
  const stalled = await Promise.all(Array.from({ length: maxUnderWay }, () => stall(request)));
  let answered = false;
  const waiting = stall(request).then(() => {
    answered = true;
  });
  const gone = connect(server.httpPort, "127.0.0.1");
  gone.write(request);
  await new Promise((resolve) => setTimeout(resolve, 300));
  gone.destroy();
  expect(answered).toBe(false);
  expect(await call(ann)).toBe(200);
  stalled[0]!.destroy();
  await waiting;
  for (const socket of stalled) socket.destroy();
  const whole = await fetch(server.url + path, { headers: { authorization: ann } });
  expect((await whole.arrayBuffer()).byteLength).toBe(big);
});

test("a client that disconnects before its download begins leaves no file open", async () => {
  const { request } = await uploaded();
  const openFiles = () => {
    const folder = `/proc/${server.pid}/fd`;
    return readdirSync(folder).filter((name) => isBlob(`${folder}/${name}`)).length;
  };
  for (let count = 0; count < 40; count++) {
    const socket = connect(server.httpPort, "127.0.0.1");
    await once(socket, "connect");
    socket.write(request, () => socket.destroy());
    await once(socket, "close");
  }
  expect(await call(ann)).toBe(200);
  await expect.poll(openFiles, pollOptions).toBe(0);
});

function isBlob(path: string): boolean {
  try {
    return readlinkSync(path).includes("/blobs/");
  } catch {
    return false;
  }
}
