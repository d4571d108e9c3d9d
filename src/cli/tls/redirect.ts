import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Challenges } from "./challenges.ts";

interface Options {
  /** Where clients reach the server over TLS, without a final slash; "" for the host that they named. */
  publicUrl: string;
  /** The port for TLS. */
  port: number;
  challenges: Challenges | undefined;
}

const acmePath = "/.well-known/acme-challenge/";

/** The server for plain HTTP: answers an authority's challenges (RFC 8555 §8.3) and leads everybody else to HTTPS. */
export function createRedirect(options: Options): Server {
  const timeouts = { requestTimeout: 10_000, keepAliveTimeout: 1_000, connectionsCheckingInterval: 2_000 };
  return createServer(timeouts, (req, res) => {
    req.resume();
    const path = req.url ?? "/";
    if (options.challenges && path.startsWith(acmePath))
      void answer(path.slice(acmePath.length), options.challenges, res);
    else lead(req, res, options);
  });
}

async function answer(token: string, challenges: Challenges, res: ServerResponse): Promise<void> {
  const found = await challenges.answer(token).catch(() => undefined);
  res.writeHead(found === undefined ? 404 : 200, { "Content-Type": "application/octet-stream" });
  res.end(found);
}

function lead(req: IncomingMessage, res: ServerResponse, { publicUrl, port }: Options): void {
  const host = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.exec(req.headers.host ?? "")?.[1];
  const named = host === undefined ? "" : `https://${host}${port === 443 ? "" : `:${port}`}`;
  const base = publicUrl.startsWith("https:") ? publicUrl : named;
  if (base === "" || !req.url?.startsWith("/")) {
    res.writeHead(400, { "Content-Type": "text/plain", Connection: "close" });
    res.end("This server is reached by https.\n");
    return;
  }
  res.writeHead(308, { Location: `${base.replace(/\/+$/, "")}${req.url}` });
  res.end();
}
