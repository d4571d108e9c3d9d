import type { IncomingMessage, ServerResponse } from "node:http";

const requestHeaders =
  "Authorization, Content-Type, Accept, X-Requested-With, Cache-Control, Last-Event-ID, Range, If-Range, If-None-Match";
const responseHeaders =
  "Content-Length, Content-Range, Content-Disposition, Accept-Ranges, ETag, Retry-After, WWW-Authenticate";

/**
 * Allows any web page: credentials are never cookies, so a page that does not know them cannot act for a user.
 * Returns true if the request was a preflight, which needs no credentials on any path.
 */
export function handleCors(req: IncomingMessage, res: ServerResponse): boolean {
  res.setHeader("Access-Control-Allow-Origin", "*");
  res.setHeader("Access-Control-Expose-Headers", responseHeaders);
  if (req.method !== "OPTIONS") return false;
  res.writeHead(204, {
    Allow: "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": requestHeaders,
    "Access-Control-Max-Age": "86400",
    "Content-Length": "0",
  });
  res.end();
  return true;
}
