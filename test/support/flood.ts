import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { deflateRawSync } from "node:zlib";

/** What a hostile client sends on each of its connections. */
export interface Flood {
  connections: number;
  /** Sent once, when the connection is made. */
  opening: (credentials: string, account: string) => string;
  /** Sent repeatedly, as fast as the server takes it; without it, only the opening is sent. */
  again?: (credentials: string, account: string) => Buffer;
  /** Whether answers are read. (Default: true) */
  reads?: boolean;
  /** Whether pings are answered, as a WebSocket must. */
  pongs?: boolean;
  /** Duration in the usual run, in seconds. (Default: 3) */
  seconds?: number;
  /** Bytes of `again` to send at a time, with a pause between. */
  trickle?: number;
}

const core = "urn:ietf:params:jmap:core";
const chunk = 64 * 1024;

function get(path: string, credentials?: string): string {
  const authorization = credentials === undefined ? "" : `Authorization: ${credentials}\r\n`;
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n${authorization}\r\n`;
}

function post(path: string, credentials: string, body: string, length = body.length): string {
  const headers = `Host: x\r\nAuthorization: ${credentials}\r\nContent-Type: application/json`;
  return `POST ${path} HTTP/1.1\r\n${headers}\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

/** Repeats a text until it fills a chunk. */
function many(one: string | Buffer): Buffer {
  const bytes = Buffer.from(one);
  return Buffer.concat(Array.from({ length: Math.ceil(chunk / bytes.length) }, () => bytes));
}

function handshake(credentials: string): string {
  const lines = [
    "GET /jmap/ws HTTP/1.1",
    "Host: x",
    `Authorization: ${credentials}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    "Sec-WebSocket-Protocol: jmap",
    "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover",
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

interface FrameBits {
  opcode?: number;
  isLast?: boolean;
  isCompressed?: boolean;
}

/** RFC 6455 §5.2, masked with zeros. */
export function frame(payload: string | Buffer, { opcode = 1, isLast = true, isCompressed = false }: FrameBits = {}) {
  const data = Buffer.from(payload);
  const head = Buffer.alloc(data.length < 126 ? 2 : data.length < 65_536 ? 4 : 10);
  head[0] = (isLast ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode;
  if (head.length === 2) head[1] = 0x80 | data.length;
  else if (head.length === 4) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(data.length, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(data.length), 2);
  }
  return Buffer.concat([head, Buffer.alloc(4), data]);
}

/** About 10.6 kB that inflate to 10.9 MB of text. */
export function bomb(): Buffer {
  return deflateRawSync(Buffer.from(`{"@type":"Request","id":"${"x".repeat(10_900_000)}"`), { finishFlush: 2 });
}

const request = JSON.stringify({ "@type": "Request", using: [core], methodCalls: [["Core/echo", {}, "0"]] });
const enable = JSON.stringify({ "@type": "WebSocketPushEnable", dataTypes: null, pushState: null });
const disable = JSON.stringify({ "@type": "WebSocketPushDisable" });
const large = JSON.stringify({ using: [core], methodCalls: [["Core/echo", { text: "x".repeat(9_000_000) }, "0"]] });

export const floods = {
  "pipelined GETs without a login": {
    connections: 8,
    opening: () => "",
    again: () => many(get("/jmap/session")),
  },
  "pipelined GETs with a login": {
    connections: 8,
    opening: () => "",
    again: (credentials) => many(get("/jmap/session", credentials)),
  },
  "WebSocket nonsense": {
    connections: 8,
    opening: handshake,
    again: () => many(frame('{"@type":"x"}')),
  },
  "small Requests": {
    connections: 8,
    opening: handshake,
    again: () => many(frame(request)),
  },
  "PushEnable and PushDisable": {
    connections: 8,
    opening: handshake,
    again: () => many(Buffer.concat([frame(enable), frame(disable)])),
  },
  "compressed fragments": {
    connections: 64,
    opening: handshake,
    again: () => frame(bomb(), { isLast: false, isCompressed: true }),
    pongs: true,
  },
  "slow readers": {
    connections: 8,
    seconds: 5,
    opening: (credentials) => post("/jmap/api", credentials, large).repeat(2),
    reads: false,
  },
  "slow readers of WebSockets": {
    connections: 8,
    seconds: 5,
    opening: handshake,
    again: () => many(frame(request)),
    reads: false,
  },
  "whole compressed messages": {
    connections: 8,
    seconds: 2,
    opening: handshake,
    again: () => frame(bomb(), { isCompressed: true }),
  },
  "pipelined API calls": {
    connections: 8,
    seconds: 2,
    opening: () => "",
    again: (credentials) => many(post("/jmap/api", credentials, request)),
  },
  pings: {
    connections: 8,
    seconds: 2,
    opening: handshake,
    again: () => many(frame("", { opcode: 9 })),
    reads: false,
  },
  "event sources": {
    connections: 8,
    seconds: 2,
    opening: () => "",
    again: (credentials) => many(get("/jmap/eventsource/?types=*&closeafter=no&ping=1", credentials)),
  },
  "uploads that never end": {
    connections: 8,
    seconds: 2,
    opening: (credentials, account) => post(`/jmap/upload/${account}/`, credentials, "x".repeat(chunk), 49_000_000),
    again: () => Buffer.alloc(chunk, "x"),
  },
  "API bodies that never end": {
    connections: 64,
    seconds: 2,
    opening: (credentials) => post("/jmap/api", credentials, large.slice(0, 8_000_000), large.length),
  },
  "request lines that trickle": {
    connections: 8,
    seconds: 2,
    opening: () => "GET /",
    again: () => Buffer.alloc(chunk, "x"),
    trickle: 1,
  },
} satisfies Record<string, Flood>;

export type FloodName = keyof typeof floods;

/** Sends the flood, and reconnects at once whenever it is disconnected. */
export function startFlood(flood: Flood, port: number, credentials: string, account: string): void {
  const opening = flood.opening(credentials, account);
  const again = flood.again?.(credentials, account);
  for (let count = 0; count < flood.connections; count++) open(flood, port, opening, again);
}

function open(flood: Flood, port: number, opening: string, again: Buffer | undefined): void {
  const socket = connect({ port, host: "127.0.0.1", noDelay: flood.trickle !== undefined });
  socket.on("error", () => {});
  socket.on("close", () => setTimeout(() => open(flood, port, opening, again), 5));
  if (flood.reads === false) socket.pause();
  else socket.on("data", (data) => flood.pongs && data.at(-2) === 0x89 && socket.write(frame("", { opcode: 10 })));
  socket.once("connect", () => {
    if (opening !== "") socket.write(opening);
    if (again && flood.pongs) socket.write(again);
    else if (again && flood.trickle) trickle(socket, again, flood.trickle);
    else if (again) pour(socket, again);
  });
}

function pour(socket: Socket, bytes: Buffer): void {
  const more = () => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on("drain", more);
  more();
}

function trickle(socket: Socket, bytes: Buffer, length: number): void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed) clearInterval(timer);
    else socket.write(bytes.subarray(at, at + length));
    at = (at + length) % bytes.length;
  }, 1);
}
