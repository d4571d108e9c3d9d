import type { IncomingMessage, ServerResponse } from "node:http";
import type { Database } from "../store/core/database.ts";
import { findStsPolicy, stsText } from "../store/directory/mta-sts.ts";

const path = "/.well-known/mta-sts.txt";
const prefix = "mta-sts.";

/** RFC 8461 §3.3: the policies of the domains that have one, each at its own host. */
export class MtaStsPolicies {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Answers a request for a policy; false for any other, which is somebody else's. */
  serve(req: IncomingMessage, res: ServerResponse): boolean {
    const host = (req.headers.host ?? "").toLowerCase().replace(/:\d{1,5}$/, "");
    if (!host.startsWith(prefix) || (req.url ?? "").replace(/\?.*$/s, "") !== path) return false;
    if (req.method === "GET" || req.method === "HEAD") void this.#answer(host.slice(prefix.length), req, res);
    else end(req, res, 405, "A policy is only read.\n", { Allow: "GET, HEAD" });
    return true;
  }

  async #answer(domain: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      const policy = await findStsPolicy(this.#database, domain);
      if (policy) end(req, res, 200, stsText(policy), { "Cache-Control": "max-age=60" });
      else end(req, res, 404, "This domain has no policy here.\n");
    } catch {
      end(req, res, 503, "The policy cannot be read now.\n", { "Retry-After": "60" });
    }
  }
}

function end(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  // RFC 8461 §3.2: text/plain.
  const about = { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" };
  res.writeHead(status, { ...about, "Content-Length": Buffer.byteLength(text), ...headers });
  res.end(req.method === "HEAD" ? undefined : text);
}
