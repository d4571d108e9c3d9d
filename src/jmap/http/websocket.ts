import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Authenticator } from "../../auth/login.ts";
import type { Log } from "../../base/log.ts";
import { Connections } from "../../push/connections.ts";
import { RequestError } from "../errors.ts";
import { checkHost, type Proxies } from "./address.ts";
import { createOriginCheck } from "./origins.ts";
import { challenges } from "./respond.ts";
import { type SessionDeps, throttled, unexpected, WebSocketSession } from "./websocket-session.ts";

export interface WebSocketDeps extends SessionDeps {
  /** Aborted when the server drains: requests under way are answered, then connections close. */
  draining: AbortSignal;
  /** As for the API. Asked at the handshake, and again for each request. */
  authenticate: Authenticator["authenticate"];
  proxies: Proxies;
  /** Of web pages that may use Basic credentials beside the server's own. */
  trustedOrigins: readonly string[];
  /** Connections of one login at a time. (Default: 64) */
  maxPerLogin?: number;
  /** How often idle connections' credentials are looked at again, in ms. (Default: 900 000) */
  checkInterval?: number;
}

/** So far over maxSizeRequest, a message still gets an answer; beyond it the connection closes with 1009. */
const sizeGrace = 1 << 20;
/** Smaller messages are sent as they are: compressing them costs more than it saves. */
const compressFrom = 4_096;

export type Upgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** RFC 8887 §4.1: the handshake. */
export function createWebSocketUpgrade(deps: WebSocketDeps): Upgrade {
  const connections = new Connections(deps);
  const checkOrigin = createOriginCheck(deps);
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: deps.maxSizeRequest + sizeGrace,
    handleProtocols: () => "jmap",
    perMessageDeflate: {
      threshold: compressFrom,
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      concurrencyLimit: 4,
    },
  });

  const upgrade = async (req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    checkHost(req);
    if (!offersJmap(req)) throw new RequestError("about:blank", 400, "The subprotocol jmap must be asked for.");
    checkOrigin(req);
    if (connections.draining) throw new RequestError("about:blank", 503, "The server is shutting down.");
    const authenticate = () => deps.authenticate(req.headers.authorization, deps.proxies.clientAddress(req));
    const login = await authenticate();
    if (login === "throttled") throw throttled();
    if (!login) throw new RequestError("about:blank", 401, "These credentials open nothing here.");
    if (connections.isFull(login.login)) throw new RequestError("about:blank", 429, "Too many connections are open.");
    if (socket.destroyed) return;
    server.handleUpgrade(req, socket, head, (ws: WebSocket) => {
      const session = new WebSocketSession(ws, deps, login, authenticate);
      ws.once("close", () => connections.delete(session));
      connections.add(session);
    });
  };

  return (req, socket, head) => {
    // A client that goes away during the handshake must not stop the process.
    socket.on("error", () => {});
    upgrade(req, socket, head).catch((error: unknown) => refuse(req, socket, error, deps.log));
  };
}

function offersJmap(req: IncomingMessage): boolean {
  const offered = req.headers["sec-websocket-protocol"] ?? "";
  return offered.split(",").some((name) => name.trim() === "jmap");
}

function refuse(req: IncomingMessage, socket: Duplex, error: unknown, log: Log): void {
  const problem = error instanceof RequestError ? error : unexpected(error, log);
  const body = JSON.stringify(problem);
  const headers = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ""}`,
    "Connection: close",
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(problem.status === 401 ? challenges(req).map((value) => `WWW-Authenticate: ${value}`) : []),
    ...(problem.status === 429 || problem.status === 503 ? ["Retry-After: 5"] : []),
  ];
  socket.once("finish", () => socket.destroy());
  socket.end(`${headers.join("\r\n")}\r\n\r\n${body}`);
}
