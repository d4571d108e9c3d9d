import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { CommitError, Unreachable } from "../../store/core/errors.ts";
import { isRetryable } from "../../store/core/loss.ts";
import { isStorageTrouble, tellStorageTrouble } from "../../store/core/storage-trouble.ts";
import { RequestError, Unauthenticated } from "../errors.ts";
import type { Services } from "../method.ts";

export const tooLarge = (max: number) =>
  new RequestError("limit", 400, `At most ${max} octets in a request.`, "maxSizeRequest");

export const tooManyOctets = () =>
  new RequestError("about:blank", 503, "Too many octets of requests are arriving: try again later.");

export const throttled = () =>
  new RequestError("about:blank", 429, "Too many wrong credentials recently: try again later.");

/** Logs an unexpected error under a reference; the client is told only the reference. */
export function asRefusal(error: unknown, { log, random }: Pick<Services, "log" | "random">): RequestError {
  if (error instanceof RequestError) return error;
  if (isStorageTrouble(error)) {
    tellStorageTrouble(log, error);
    return new RequestError("about:blank", 503, "Nothing can be stored at the moment: try again later.");
  }
  // Logged once, when the database server went away.
  if (error instanceof Unreachable) {
    return new RequestError("about:blank", 503, "The account cannot be read just now: try again later.");
  }
  const reference = random(6).toString("hex");
  log.error({ reference, err: error }, "request failed");
  const isPassing = isRetryable(error) || error instanceof CommitError;
  if (isPassing) return new RequestError("about:blank", 503, `try again later, reference ${reference}`);
  return new RequestError("about:blank", 500, `unexpected error, reference ${reference}`);
}

/** Sent with 429 and 503. */
const retryAfter = "30";

/** RFC 7807: the body of a refusal, and the header fields that go with it. */
export function writeRefusal(
  req: IncomingMessage,
  refusal: RequestError,
): { body: string; headers: Record<string, string | number | string[]> } {
  const { status } = refusal;
  const body = JSON.stringify(refusal);
  const headers = {
    "Content-Type": "application/problem+json",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    ...(status === 401 && challenges(req, refusal instanceof Unauthenticated ? refusal.metadataUrl : undefined)),
    ...((status === 429 || status === 503) && { "Retry-After": retryAfter }),
  };
  return { body, headers };
}

export function refuse(
  req: IncomingMessage,
  res: ServerResponse,
  refusal: RequestError,
  more: OutgoingHttpHeaders = {},
): void {
  const { body, headers } = writeRefusal(req, refusal);
  res.writeHead(refusal.status, { ...headers, ...more });
  res.end(req.method === "HEAD" ? undefined : body);
}

/**
 * RFC 9110 §11.6.1: offers every scheme, since clients choose among those offered. Scripts, pictures and links of our own
 * pages get no challenge: the browser would show a dialog of its own for Basic, and pages send credentials unasked. Scripts of
 * others are told where to get a token.
 */
function challenges(req: IncomingMessage, metadataUrl: string | undefined): Record<string, string[]> {
  const { origin, "x-requested-with": requestedWith, "sec-fetch-mode": mode = "navigate", cookie = "" } = req.headers;
  const isScript = requestedWith !== undefined || origin !== undefined || mode !== "navigate";
  const isOwnPage = req.headers["sec-fetch-site"] === "same-origin" || /(^|; *)(__Host-)?posthorn=/.test(cookie);
  const isRefused = /^bearer /i.test(req.headers.authorization ?? "");
  const bearer = `Bearer realm="posthorn"${isRefused ? ', error="invalid_token"' : ""}${metadataUrl === undefined ? "" : `, resource_metadata="${metadataUrl}"`}`;
  if (isOwnPage) return {};
  if (isScript) return metadataUrl === undefined ? {} : { "WWW-Authenticate": [bearer] };
  return { "WWW-Authenticate": ['Basic realm="posthorn", charset="UTF-8"', bearer] };
}
