import type { Server, ServerResponse } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import type { Ending, EndingPatience } from "../base/ending.ts";

const patience: Record<Ending, EndingPatience> = {
  stop: { idleMs: 250, maxMs: 10_000 },
  restart: { idleMs: 15_000, maxMs: 90_000 },
};

/**
 * Returns a function that stops the server so that no client loses an answer: it takes no new connections, and a request
 * on an open connection is answered with "Connection: close".
 */
export function drainable(server: Server): (ending: Ending) => Promise<void> {
  const sockets = new Set<Socket>();
  const open = new Set<ServerResponse>();
  const ended = Promise.withResolvers<void>();
  let isDraining = false;
  const beLast = (res: ServerResponse) => {
    if (!res.headersSent) res.setHeader("Connection", "close");
  };
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      if (isDraining && sockets.size === 0) ended.resolve();
    });
  });
  server.prependListener("request", (_req, res) => {
    open.add(res);
    if (isDraining) beLast(res);
    res.once("close", () => open.delete(res));
  });
  return async (ending) => {
    isDraining = true;
    open.forEach(beLast);
    const { idleMs, maxMs } = patience[ending];
    // The HTTP server's own `close` would cut idle connections at once, perhaps with a request on its way.
    if (server.listening) NetServer.prototype.close.call(server);
    const idle = setInterval(() => server.closeIdleConnections(), idleMs);
    const late = setTimeout(() => server.closeAllConnections(), maxMs);
    if (sockets.size > 0) await ended.promise;
    clearInterval(idle);
    clearTimeout(late);
  };
}
