import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Login } from "../../auth/login.ts";
import type { ByteRange, OpenBlob } from "../../store/blobs/blobs.ts";
import { RequestError } from "../errors.ts";
import { openAccount } from "./authenticate.ts";
import type { ApiDeps } from "./deps.ts";
import { stallTimeoutMs } from "./respond.ts";

export interface DownloadTarget {
  accountId: string;
  blobId: string;
  name: string;
  type: string;
}

/** RFC 8620 §6.2 */
export async function handleDownload(
  { services }: ApiDeps,
  req: IncomingMessage,
  res: ServerResponse,
  login: Login,
  target: DownloadTarget,
): Promise<void> {
  // The client went away while it waited for its turn.
  if (res.destroyed) return;
  const account = openAccount(login, target.accountId);
  if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+[\x20-\x7e]*$/.test(target.type)) {
    throw new RequestError("about:blank", 400, "The type is not a media type.");
  }
  const etag = `"${target.blobId}"`;
  const range = requestedRange(req, etag);
  const blob = await services.blobs.open(services.store.reader(account.id, login), target.blobId, range);
  if (!blob) throw new RequestError("about:blank", 404, "There is no such blob.");
  try {
    await send(req, res, { target, etag, blob, isRange: range !== undefined });
  } finally {
    // A pipeline to a client that has gone leaves the stream open.
    blob.stream.destroy();
  }
}

interface Download {
  target: DownloadTarget;
  etag: string;
  blob: OpenBlob;
  isRange: boolean;
}

async function send(req: IncomingMessage, res: ServerResponse, { target, etag, blob, isRange }: Download) {
  const headers = commonHeaders(target, etag);
  if (etagMatches(req.headers["if-none-match"], etag)) {
    res.writeHead(304, headers).end();
    return;
  }
  if (isRange && blob.size === 0) {
    res.writeHead(416, { "Content-Range": `bytes */${blob.total}`, "Content-Length": 0 }).end();
    return;
  }
  const last = blob.start + blob.size - 1;
  res.writeHead(isRange ? 206 : 200, {
    ...headers,
    ...(isRange && { "Content-Range": `bytes ${blob.start}-${last}/${blob.total}` }),
    "Content-Length": blob.size,
  });
  if (req.method === "HEAD") res.end();
  else {
    res.setTimeout(stallTimeoutMs);
    await pipeline(blob.stream, res);
  }
}

/** A download is saved, never shown: nothing in a mail may run as a page of this server. */
function commonHeaders({ name, type }: DownloadTarget, etag: string): OutgoingHttpHeaders {
  return {
    "Content-Type": type,
    "Content-Disposition": contentDisposition(name),
    "Cache-Control": "private, immutable, max-age=31536000",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Accept-Ranges": "bytes",
    ETag: etag,
  };
}

/** RFC 6266, with a plain name for clients that do not know filename*. */
function contentDisposition(name: string): string {
  if (name === "") return "attachment";
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const exact = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16)}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}

/** RFC 9110 §13.1.2: "*" alone, or a list of tags, which may themselves contain a comma or "*". */
function etagMatches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === "*" || [...header.matchAll(/"[^"]*"/g)].some(([tag]) => tag === etag);
}

/** RFC 9110 §14: a single range of bytes; for anything else the whole blob is sent. */
function requestedRange(req: IncomingMessage, etag: string): ByteRange | undefined {
  const condition = req.headers["if-range"];
  if (condition !== undefined && condition !== etag) return undefined;
  const match = /^bytes=(\d*)-(\d*)$/.exec(req.headers.range ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  // A suffix of zero bytes cannot be satisfied, and neither can a start beyond the end.
  if (match[1] === "")
    return Number(match[2]) === 0 ? { start: Number.MAX_SAFE_INTEGER } : { start: -Number(match[2]) };
  const start = Number(match[1]);
  if (match[2] === "") return { start };
  return Number(match[2]) < start ? undefined : { start, end: Number(match[2]) + 1 };
}
