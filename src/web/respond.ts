import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";

interface Further {
  headers?: Readonly<Record<string, string>>;
  /** Tells pages which of several reasons it is; `detail` is for people who read the protocol. */
  code?: string;
}

/** Refuses a request; sent as problem+json (RFC 7807). */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly code: string | undefined;

  constructor(status: number, detail: string, { headers = {}, code }: Further = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
    this.code = code;
  }
}

export function problem(req: IncomingMessage, res: ServerResponse, { status, message, headers, code }: Refusal): void {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const body = JSON.stringify({ type: "about:blank", status, detail: message, ...(code !== undefined && { code }) });
  // Otherwise the unread body would be parsed as the connection's next request.
  if (!req.complete) {
    res.setHeader("Connection", "close");
    req.resume();
  }
  res.writeHead(status, {
    "Content-Type": "application/problem+json",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    ...((status === 429 || status === 503) && { "Retry-After": "30" }),
    ...headers,
  });
  res.end(req.method === "HEAD" ? undefined : body);
}

export function allow(req: IncomingMessage, method: string): void {
  if (req.method === method) return;
  throw new Refusal(405, `This resource takes ${method} only.`, { headers: { Allow: method } });
}

export function sendJson(res: ServerResponse, value: object, headers: OutgoingHttpHeaders = {}): void {
  const body = JSON.stringify(value);
  const fields = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
  res.writeHead(200, { ...fields, "Cache-Control": "no-store", ...headers }).end(body);
}

/** Of a name and a password at their longest, each character escaped. */
const maxBody = 20_000;
const bodyTimeoutMs = 30_000;

/** The JSON object in the body. Its content type is one that a form of another page cannot send. */
export async function readJson(req: IncomingMessage): Promise<Record<string, unknown>> {
  if (!/^application\/json\s*(;|$)/i.test(req.headers["content-type"] ?? "")) {
    throw new Refusal(415, "The content type must be application/json.");
  }
  const body = await read(req);
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // As below.
  }
  throw new Refusal(400, "The body must be a JSON object.");
}

/** RFC 6749 §B: the fields of a form in the body. */
export async function readForm(req: IncomingMessage): Promise<URLSearchParams> {
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(req.headers["content-type"] ?? "")) {
    throw new Refusal(415, "The content type must be application/x-www-form-urlencoded.");
  }
  return new URLSearchParams((await read(req)).toString("utf8"));
}

function read(req: IncomingMessage): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(() => reject(new Refusal(408, "The body took too long.")), bodyTimeoutMs);
  req.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBody) reject(new Refusal(413, `At most ${maxBody} octets.`));
    else chunks.push(chunk);
  });
  req.once("end", () => resolve(Buffer.concat(chunks)));
  req.once("close", () => reject(new Refusal(400, "The request was cut off.")));
  return promise.finally(() => clearTimeout(timer));
}
