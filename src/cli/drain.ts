import type { Server, ServerResponse } from "node:http";
import { Server as NetServer } from "node:net";

/** How long requests under way may take to end. */
const maxDrainMs = 10_000;
/** How long an idle connection may still send a request, whose answer then closes it. */
const idleGraceMs = 250;

/**
 * Returns a function that stops the server so that no client loses an answer: it takes no new connections, and a request
 * on an open connection is answered with "Connection: close".
 */
export function drainable(server: Server): () => Promise<void> {
  const open = new Set<ServerResponse>();
  let isDraining = false;
  const beLast = (res: ServerResponse) => {
    if (!res.headersSent) res.setHeader("Connection", "close");
  };
  server.prependListener("request", (_req, res) => {
    open.add(res);
    if (isDraining) beLast(res);
    res.once("close", () => open.delete(res));
  });
  return async () => {
    isDraining = true;
    open.forEach(beLast);
    // The HTTP server's own close would cut idle connections at once, perhaps with a request on its way.
    const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
    const idle = setInterval(() => server.closeIdleConnections(), idleGraceMs);
    const late = setTimeout(() => server.closeAllConnections(), maxDrainMs);
    await closed;
    clearInterval(idle);
    clearTimeout(late);
  };
}
