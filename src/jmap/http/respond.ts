import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Services } from "../method.ts";
import { jsonBytes } from "./large-json.ts";
import { asRefusal, refuse } from "./refusals.ts";

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);
/** Smaller answers are not worth it. */
const compressFrom = 1024;

/** One write with its length; compressed when it is large and the client can read that. `octets`: of messages in it. */
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

/** How long, in ms, a client may take nothing of an answer, or send nothing of a body, before it is given up. */
export const stallPatience = 120_000;

/** Resolves when the client has taken the answer, which is in memory until then, or is gone. */
export async function sent(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { socket } = req;
  if (res.writableFinished || socket.destroyed) return;
  socket.setTimeout(stallPatience);
  const { promise, resolve } = Promise.withResolvers<void>();
  res.once("close", resolve);
  // An answer that waits behind others of its connection is not told of the connection's end.
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

/** Answers with a refusal, or ends the connection where that can't be. */
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
  // A body that nobody reads would end up as the next request of the connection.
  if (!req.complete) {
    res.setHeader("Connection", "close");
    req.resume();
  }
  refuse(req, res, refusal);
}

/** How far over the largest body that is taken, and how long, in ms, a refused one is read on. */
const drainGrace = 1 << 20;
const drainPatience = 30_000;

/** Reads a refused body to its end: a client that is cut off while it still sends never gets to see the answer. */
async function drain(req: IncomingMessage, most: number): Promise<void> {
  let left = most + drainGrace;
  if (req.destroyed || Number(req.headers["content-length"] ?? 0) > left) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, drainPatience);
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
