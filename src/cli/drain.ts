import type { Server, ServerResponse } from "node:http";
import { Server as NetServer } from "node:net";

/** Requests under way get so long to end, in ms. */
const patience = 10_000;
/** A connection that is only idle between two requests gets so long to send the next one, and is told to end then. */
const idleGrace = 250;

/**
 * What stops a server so that no client loses an answer: nobody else may connect, those who ask once more are answered
 * and told that it was the last time.
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
    // The HTTP server's own close would cut idle connections at once, with a request perhaps on its way.
    const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
    const idle = setInterval(() => server.closeIdleConnections(), idleGrace);
    const late = setTimeout(() => server.closeAllConnections(), patience);
    await closed;
    clearInterval(idle);
    clearTimeout(late);
  };
}
