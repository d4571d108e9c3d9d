import type { IncomingMessage } from "node:http";
import type { Log } from "../../base/log.ts";
import { RequestError } from "../errors.ts";
import type { Proxies } from "./address.ts";

export interface OriginsOptions {
  proxies: Proxies;
  /** Origins of web pages that are trusted besides the server's own. */
  trustedOrigins: readonly string[];
  log: Log;
}

/** The most origins that are logged, each once. */
const maxWarnings = 16;

/**
 * RFC 6455 §10.2: a browser adds the Basic credentials it remembers to a handshake from any page, and CORS does not
 * prevent that. It does not remember Bearer tokens. Returns a check that throws a RequestError of status 403.
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
    if (!warned.has(origin) && warned.size < maxWarnings) {
      warned.add(origin);
      const fields = { origin: origin.slice(0, 200), server: own, options: "--public-url, --trusted-origins" };
      log.warn(fields, "refused a WebSocket from a page of another origin that used Basic credentials");
    }
    throw new RequestError(
      "about:blank",
      403,
      `A page of another origin cannot use Basic credentials. This server believes that its URL is ${own}. If that is wrong, the operator should set --public-url; other trusted pages belong in --trusted-origins.`,
    );
  };
}
