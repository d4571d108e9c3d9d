import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { listingOf } from "./listing.ts";
import { S3Error } from "./s3-error.ts";
import { checkSignature, type Keys } from "./signature.ts";

/** What goes wrong with a request. */
export type Fault =
  /** 500 InternalError */
  | "error"
  /** 404 without a word, as a proxy in front answers that has lost its way. */
  | "lost"
  /** 503 SlowDown */
  | "slowDown"
  /** No answer until the client gives up. */
  | "hang"
  /** The connection is closed in the middle of the answer, or instead of it. */
  | "cut"
  /** The answer stops in the middle, and the connection stays open. */
  | "stall"
  /** One bit of the answer's body is another. */
  | "corrupt";

export interface Seen {
  method: string;
  /** Without the bucket; "" for the bucket itself. */
  key: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  status: number;
}

interface StoredObject {
  bytes: Buffer;
  encryption: string | undefined;
}

export interface StrictOptions {
  keys: Keys;
  /** Makes it speak TLS. */
  tls?: { cert: string; key: string };
  /** How many keys a page of a listing has at most. */
  maxKeys?: number;
  /** Writes whatever the condition of a write says, as some services do. */
  ignoresIfMatch?: boolean;
}

/**
 * A small S3 service in memory that accepts nothing it does not understand: signatures and payload hashes are checked, and
 * lengths must be known. For tests, it fails on demand.
 */
export class StrictServer {
  readonly buckets = new Map<string, Map<string, StoredObject>>();
  readonly seen: Seen[] = [];
  /** Asked for each request. */
  fault: (request: { method: string; key: string }) => Fault | undefined = () => undefined;
  /** How long each request waits before it is looked at. */
  delayMs = 0;
  readonly #options: StrictOptions;
  #server: Server & { closeAllConnections?(): void };
  #port = 0;

  constructor(options: StrictOptions) {
    this.#options = options;
    this.#server = this.#create();
  }

  get endpoint(): string {
    return `${this.#options.tls ? "https" : "http"}://127.0.0.1:${this.#port}`;
  }

  /** Listens at the same port each time. */
  async start(): Promise<this> {
    if (this.#server.listening) return this;
    this.#server = this.#create();
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** Closes all connections; the objects stay. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections?.();
    await closed;
  }

  #create() {
    const answer: RequestListener = (req, res) => void this.#answer(req, res);
    return this.#options.tls ? createTlsServer(this.#options.tls, answer) : createServer(answer);
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? "", "http://localhost");
    const [bucket = "", ...rest] = decodeURIComponent(url.pathname.slice(1)).split("/");
    const [method, key] = [req.method ?? "", rest.join("/")];
    res.on("close", () =>
      this.seen.push({ method, key, query: url.searchParams, headers: req.headers, status: res.statusCode }),
    );
    const fault = this.fault({ method, key });
    try {
      if (fault === "hang") return;
      if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
      const body = await bodyOf(req);
      if (fault === "error") throw new S3Error(500, "InternalError");
      if (fault === "slowDown") throw new S3Error(503, "SlowDown");
      checkSignature(req, url, body, this.#options.keys);
      const request = { method, bucket, key, query: url.searchParams, headers: req.headers, body };
      const result = fault === "lost" ? { status: 404 } : this.#do(request);
      send(res, method, result, fault);
    } catch (error) {
      if (res.destroyed) return;
      if (!(error instanceof S3Error)) throw error;
      const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${error.code}</Code><Message>${error.code}</Message></Error>`;
      send(res, method, {
        status: error.status,
        headers: { "content-type": "application/xml" },
        body: Buffer.from(text),
      });
    }
  }

  #do(request: Request): Result {
    const { method, bucket, key, query, headers, body } = request;
    if (method === "PUT" && key === "") {
      this.buckets.set(bucket, new Map());
      return { status: 200 };
    }
    const objects = this.buckets.get(bucket);
    if (!objects) throw new S3Error(404, "NoSuchBucket");
    if (method === "GET" && key === "") return listingOf(objects, query, this.#options.maxKeys ?? 1000);
    if (key === "" || [...query.keys()].some((name) => name !== "x-id")) throw new S3Error(501, "NotImplemented");
    if (this.#options.ignoresIfMatch) delete headers["if-match"];
    if (method === "PUT") return put(objects, key, headers, body);
    if (method === "GET" || method === "HEAD") return get(objects, key, headers);
    if (method !== "DELETE") throw new S3Error(405, "MethodNotAllowed");
    objects.delete(key);
    return { status: 204 };
  }
}

interface Request {
  method: string;
  bucket: string;
  key: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

export interface Result {
  status: number;
  headers?: Record<string, string>;
  body?: Buffer;
}

function put(objects: Map<string, StoredObject>, key: string, headers: Request["headers"], body: Buffer): Result {
  const condition = headers["if-none-match"];
  if (condition !== undefined && condition !== "*") throw new S3Error(501, "NotImplemented");
  if (condition === "*" && objects.has(key)) throw new S3Error(412, "PreconditionFailed");
  const wanted = headers["if-match"];
  const present = objects.get(key);
  if (wanted !== undefined && !present) throw new S3Error(404, "NoSuchKey");
  if (wanted !== undefined && `"${wanted}"` !== etagOf(present!.bytes)) throw new S3Error(412, "PreconditionFailed");
  const encryption = headers["x-amz-server-side-encryption"] as string | undefined;
  const keyId = headers["x-amz-server-side-encryption-aws-kms-key-id"] as string | undefined;
  if (encryption !== undefined && encryption !== "AES256" && encryption !== "aws:kms") {
    throw new S3Error(400, "InvalidArgument");
  }
  if (keyId !== undefined && encryption !== "aws:kms") throw new S3Error(400, "InvalidArgument");
  objects.set(key, { bytes: body, encryption: keyId ?? encryption });
  return { status: 200, headers: { etag: etagOf(body) } };
}

function get(objects: Map<string, StoredObject>, key: string, headers: Request["headers"]): Result {
  const object = objects.get(key);
  if (!object) throw new S3Error(404, "NoSuchKey");
  const { bytes } = object;
  const common = { etag: etagOf(bytes), "accept-ranges": "bytes" };
  if (headers.range === undefined) return { status: 200, headers: common, body: bytes };
  const [, first = "", last = ""] = /^bytes=(\d+)-(\d*)$/.exec(headers.range) ?? [];
  if (first === "") throw new S3Error(501, "NotImplemented");
  const start = Number(first);
  const end = last === "" ? bytes.length : Math.min(Number(last) + 1, bytes.length);
  if (start >= bytes.length || end <= start) throw new S3Error(416, "InvalidRange");
  const range = { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` };
  return { status: 206, headers: { ...common, ...range }, body: bytes.subarray(start, end) };
}

async function bodyOf(req: IncomingMessage): Promise<Buffer> {
  if (req.method === "PUT" && req.headers["content-length"] === undefined) {
    throw new S3Error(411, "MissingContentLength");
  }
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function send(res: ServerResponse, method: string, { status, headers, body = Buffer.alloc(0) }: Result, fault?: Fault) {
  const sent = fault === "corrupt" && body.length > 0 ? flipped(body) : body;
  if (fault === "cut" && (method !== "GET" || sent.length === 0)) return res.destroy();
  res.writeHead(status, { ...headers, "content-length": sent.length });
  if (method === "HEAD") return res.end();
  if (fault !== "cut" && fault !== "stall") return res.end(sent);
  res.write(sent.subarray(0, Math.ceil(sent.length / 2)), () => {
    if (fault === "cut") res.destroy();
  });
}

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const middle = copy.length >> 1;
  copy[middle] = copy[middle]! ^ 1;
  return copy;
}

function etagOf(bytes: Buffer): string {
  return `"${createHash("md5").update(bytes).digest("hex")}"`;
}
