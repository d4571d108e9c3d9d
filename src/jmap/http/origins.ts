import type { IncomingMessage } from "node:http";
import type { Log } from "../../base/log.ts";
import { RequestError } from "../errors.ts";
import type { Proxies } from "./address.ts";

export interface OriginsOptions {
  proxies: Proxies;
  /** Origins of web pages that are trusted beside the server's own. */
  trustedOrigins: readonly string[];
  log: Log;
}

/** The most origins that are logged, each once. */
const mostWarnings = 16;

/**
 * RFC 6455 §10.2: a browser adds Basic credentials that it remembers to the handshakes of any page, and no rule of
 * CORS stops it. It remembers no Bearer tokens. Returns a check that throws a RequestError of status 403.
 */
export function createOriginCheck({ proxies, trustedOrigins, log }: OriginsOptions): (req: IncomingMessage) => void {
  const trusted = new Set(trustedOrigins);
  const warned = new Set<string>();
  return (req) => {
    const { origin, authorization = "" } = req.headers;
    if (origin === undefined || !/^basic /i.test(authorization)) return;
    const own = proxies.baseUrl(req);
    const page = URL.parse(origin);
    if (page && (trusted.has(page.origin) || page.host === URL.parse(own)?.host)) return;
    if (!warned.has(origin) && warned.size < mostWarnings) {
      warned.add(origin);
      const fields = { origin: origin.slice(0, 200), server: own, options: "--public-url, --trusted-origins" };
      log.warn(fields, "a WebSocket of a page of another origin was refused: it used Basic credentials");
    }
    throw new RequestError(
      "about:blank",
      403,
      `A page of another origin can't use Basic credentials. This server takes itself for ${own}: where that is wrong, its operator sets --public-url; other pages are named in --trusted-origins.`,
    );
  };
}
