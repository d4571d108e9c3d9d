import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Services } from "../method.ts";
import { jsonBytes } from "./large-json.ts";
import { asRefusal, refuse } from "./refusals.ts";

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);
/** Smaller answers are not compressed. */
const compressFrom = 1024;

/** Sends JSON in one write, compressed if it is large and the client accepts that. `octets`: see jsonBytes. */
export async function sendJson(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  value: unknown,
  headers: OutgoingHttpHeaders = {},
  octets = 0,
): Promise<void> {
  const plain = await jsonBytes(value, octets);
  const encoding = plain.length >= compressFrom ? chooseEncoding(req.headers["accept-encoding"]) : undefined;
  const body = encoding === undefined ? plain : await compress(plain, encoding);
  res.writeHead(status, {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    Vary: "Accept-Encoding",
    ...headers,
    ...(encoding && { "Content-Encoding": encoding }),
    "Content-Length": body.length,
  });
  res.end(req.method === "HEAD" ? undefined : body);
}

/** A client is given up after taking nothing of an answer, or sending nothing of a body, for so long. */
export const stallTimeoutMs = 120_000;

/** Resolves when the client has taken the answer, which stays in memory until then, or has gone. */
export async function sent(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { socket } = req;
  if (res.writableFinished || socket.destroyed) return;
  socket.setTimeout(stallTimeoutMs);
  const { promise, resolve } = Promise.withResolvers<void>();
  res.once("close", resolve);
  // A pipelined response gets no "close" event when its socket closes, so the socket is watched too.
  socket.once("close", resolve);
  await promise;
  socket.off("close", resolve);
}

function compress(bytes: Buffer, encoding: "br" | "gzip"): Promise<Buffer> {
  // Low levels: higher ones cost much and save little on JSON.
  if (encoding === "gzip") return zip(bytes, { level: 1 });
  return brotli(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
}

function chooseEncoding(accept: string | string[] | undefined): "br" | "gzip" | undefined {
  const offers = new Map<string, number>();
  for (const part of String(accept ?? "").split(",")) {
    const [name = "", ...params] = part.split(";").map((text) => text.trim().toLowerCase());
    const q = params.find((param) => param.startsWith("q="));
    offers.set(name, q === undefined ? 1 : Number(q.slice(2)) || 0);
  }
  const weight = (name: string) => offers.get(name) ?? offers.get("*") ?? 0;
  if (weight("br") > 0 && weight("br") >= weight("gzip")) return "br";
  return weight("gzip") > 0 ? "gzip" : undefined;
}

/** Sends a refusal, or closes the connection if none can be sent. */
export async function fail(
  req: IncomingMessage,
  res: ServerResponse,
  error: unknown,
  services: Services,
): Promise<void> {
  await sendError(req, res, error, services).catch(() => void res.destroy());
}

/** RFC 7807 */
async function sendError(req: IncomingMessage, res: ServerResponse, error: unknown, services: Services): Promise<void> {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const refusal = asRefusal(error, services);
  if (!req.complete) await drain(req, Math.max(services.limits.maxSizeUpload, services.limits.maxSizeRequest));
  // Otherwise the unread body would be parsed as the connection's next request.
  if (!req.complete) {
    res.setHeader("Connection", "close");
    req.resume();
  }
  refuse(req, res, refusal);
}

/** How many octets beyond the largest body, and how long, a refused body is read on. */
const drainGrace = 1 << 20;
const drainTimeoutMs = 30_000;

/** Reads a refused body to its end: a client that is cut off while sending does not see the answer. */
async function drain(req: IncomingMessage, max: number): Promise<void> {
  let left = max + drainGrace;
  if (req.destroyed || Number(req.headers["content-length"] ?? 0) > left) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, drainTimeoutMs);
  req.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) resolve();
  });
  req.once("end", resolve);
  req.once("close", resolve);
  req.resume();
  await promise;
  clearTimeout(timer);
}
