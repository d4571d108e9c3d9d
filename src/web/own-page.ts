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
    const [page, own] = [URL.parse(origin), URL.parse(baseUrl)];
    if (!page?.host) return false;
    // Anybody on the way to the browser may have written an unencrypted page of our name.
    if (page.host === own?.host) return own.protocol !== "https:" || page.protocol === "https:";
    return page.host === host?.toLowerCase();
  }
  // A handshake of a browser always has an Origin.
  return (req.method === "GET" || req.method === "HEAD") && upgrade === undefined;
}
