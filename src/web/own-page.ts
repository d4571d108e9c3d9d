import type { IncomingMessage } from "node:http";

/**
 * Whether a page of this server asks, so that a cookie may count. Cookies alone do not tell: a browser sends them, whatever
 * `SameSite` says, for pages on other ports and subdomains too. `baseUrl`: the server's URL as its clients see it.
 */
export function isOwnPage(req: IncomingMessage, baseUrl: string): boolean {
  const { "sec-fetch-site": site, origin, host, upgrade } = req.headers;
  if (site !== undefined) return site === "same-origin";
  // A browser omits Sec-Fetch-Site over plain HTTP, unless the host is loopback.
  if (origin !== undefined) {
    const page = URL.parse(origin)?.host;
    return page !== undefined && page !== "" && (page === URL.parse(baseUrl)?.host || page === host?.toLowerCase());
  }
  // A handshake of a browser always has an Origin.
  return (req.method === "GET" || req.method === "HEAD") && upgrade === undefined;
}
