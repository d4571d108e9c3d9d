import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Authenticator } from "../../auth/login.ts";
import type { PlaceLimit } from "../../base/shared-counts.ts";
import { Connections } from "../../push/connections.ts";
import { RequestError, SecondFactorWanted, Unauthenticated } from "../errors.ts";
import { checkHost, type Proxies } from "./address.ts";
import { headerOf } from "./authenticate.ts";
import type { WebEndpoints } from "./deps.ts";
import { type Gate, gateOf } from "./gate.ts";
import { createOriginCheck } from "./origins.ts";
import { asRefusal, throttled, writeRefusal } from "./refusals.ts";
import { type SessionDeps, sizeGrace, WebSocketSession } from "./websocket-session.ts";

export interface WebSocketDeps extends SessionDeps {
  /** Aborted when the server drains: requests under way are answered, then connections close. The reason is an Ending. */
  draining: AbortSignal;
  /** As for the API; called at the handshake and again for each request. */
  authenticate: Authenticator["authenticate"];
  /** What a request has to be authenticated by. (Default: its Authorization header) */
  credentials?: WebEndpoints["credentials"] | undefined;
  /** (Default: there is none) */
  resourceMetadata?: WebEndpoints["resourceMetadata"] | undefined;
  proxies: Proxies;
  /** Origins of web pages, besides the server's own, that may use Basic credentials. */
  trustedOrigins: readonly string[];
  /** Counts the connections of each login. */
  places: PlaceLimit;
  /** How often the credentials of idle connections are checked again, in ms. (Default: 900 000) */
  checkIntervalMs?: number;
}

/** Smaller messages are not compressed: it would cost more than it saves. */
const compressFrom = 4_096;

export type Upgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** RFC 8887 §4.1: the handshake. */
export function createWebSocketUpgrade(deps: WebSocketDeps): Upgrade {
  const connections = new Connections(deps);
  const checkOrigin = createOriginCheck(deps);
  const { places, credentials = headerOf } = deps;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    autoPong: false,
    maxPayload: deps.maxSizeRequest + sizeGrace,
    handleProtocols: () => "jmap",
    perMessageDeflate: {
      threshold: compressFrom,
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      concurrencyLimit: 4,
    },
  });

  const upgrade = async (req: IncomingMessage, gate: Gate, head: Buffer): Promise<void> => {
    checkHost(req);
    if (!offersJmap(req)) throw new RequestError("about:blank", 400, "The client must offer the subprotocol jmap.");
    checkOrigin(req);
    if (connections.isStopping) throw new RequestError("about:blank", 503, "The server is shutting down.");
    const authenticate = () => deps.authenticate(credentials(req), deps.proxies.clientAddress(req));
    const login = await authenticate();
    if (login === "throttled") throw throttled();
    if (login === "secondFactor") throw new SecondFactorWanted();
    if (!login) throw new Unauthenticated("These credentials are not valid.", deps.resourceMetadata?.(req));
    if (!(await places.take(login.login))) throw new RequestError("about:blank", 429, "Too many connections are open.");
    // The client may have gone during the wait.
    if (gate.destroyed) return places.leave(login.login);
    gate.once("close", () => places.leave(login.login));
    gate.signIn(login.login, deps.proxies.clientAddress(req));
    server.handleUpgrade(req, gate, head, (ws: WebSocket) => {
      const session = new WebSocketSession({ ws, gate, agent: req.headers["user-agent"] }, deps, login, authenticate);
      ws.once("close", () => connections.delete(session));
      connections.add(session);
    });
  };

  return (req, socket, head) => {
    // Without a listener, a client that goes away during the handshake would crash the process.
    socket.on("error", () => {});
    const gate = gateOf(req);
    gate.shut();
    upgrade(req, gate, head)
      .catch((error: unknown) => refuse(req, socket, asRefusal(error, deps)))
      .catch(() => void socket.destroy());
  };
}

function offersJmap(req: IncomingMessage): boolean {
  const offered = req.headers["sec-websocket-protocol"] ?? "";
  return offered.split(",").some((name) => name.trim() === "jmap");
}

function refuse(req: IncomingMessage, socket: Duplex, refusal: RequestError): void {
  const { status } = refusal;
  const { body, headers } = writeRefusal(req, refusal);
  const fields = Object.entries({ Connection: "close", ...headers }).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one}\r\n`),
  );
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${fields.join("")}\r\n${body}`);
}
