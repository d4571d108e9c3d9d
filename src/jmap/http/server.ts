import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import express, { type NextFunction, type Request, type Response } from "express";
import type { Login } from "../../auth/login.ts";
import type { EndpointName } from "../../base/events.ts";
import { FairTurns } from "../../base/fair-turns.ts";
import { AccountMissing } from "../../store/core/errors.ts";
import { RequestError } from "../errors.ts";
import { needMail } from "../scopes.ts";
import { checkHost } from "./address.ts";
import { handleApi } from "./api.ts";
import { authenticate, noSuchAccount } from "./authenticate.ts";
import { handleCors } from "./cors.ts";
import type { HttpDeps, PushEndpoints } from "./deps.ts";
import { handleDownload } from "./download.ts";
import { reach, serveInSpan, watch } from "./exchange.ts";
import { gateOf, gate as putGate } from "./gate.ts";
import { Turns } from "./limits.ts";
import { refuse } from "./refusals.ts";
import { fail, sendJson } from "./respond.ts";
import { buildSession } from "./session.ts";
import { handleUpload } from "./upload.ts";

/** Every path that is served; the router accepts no other. */
export const endpoints = [
  "/.well-known/jmap",
  "/jmap/session",
  "/jmap/api",
  "/jmap/upload/:accountId",
  "/jmap/download/:accountId/:blobId/:name",
  "/jmap/download/:accountId/:blobId",
  "/jmap/eventsource",
  "/jmap/ws",
  "/healthz",
  "/readyz",
] as const;
export type Endpoint = (typeof endpoints)[number];

/** Serves the JMAP endpoints. API calls bypass the router, since they are most of the load. */
export function createHttpServer(deps: HttpDeps): Server {
  const { services, requests } = deps;
  const serveApi = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const login = await signIn(req, deps);
    // The turn lasts until the answer is taken, so clients that do not read cannot pile answers up.
    await requests.run(login.login, req.socket, () => handleApi(deps, req, res, login));
  };
  const router = createRouter(deps, serveApi);
  // A request for another upgrade, such as HTTP/2, is answered as if it had not asked (RFC 9110 §7.8).
  const shouldUpgradeCallback = (req: IncomingMessage) =>
    deps.push !== undefined && isWebSocket(req) && urlOf(req).pathname === "/jmap/ws";
  const timeouts = { keepAliveTimeout: 65_000, requestTimeout: maxBodyMs, headersTimeout: maxHeadMs };
  const options = { noDelay: true, ...timeouts, connectionsCheckingInterval: checkEveryMs, shouldUpgradeCallback };
  const serve = (req: IncomingMessage, res: ServerResponse): void => {
    watch(res, services.events);
    const gate = gateOf(req);
    gate.begin(req, res);
    // RFC 6797: browsers come by TLS alone from now on.
    if (gate.encrypted) res.setHeader("Strict-Transport-Security", "max-age=31536000");
    try {
      checkHost(req);
    } catch (error) {
      res.setHeader("Connection", "close");
      void fail(req, res, error, services);
      return;
    }
    if (deps.discovery?.(req, res)) return;
    // Pages, and signing in to them, are no concern of other origins: they get no CORS headers.
    if (deps.policies?.serve(req, res) || deps.web?.serve(req, res)) {
      reach(res, "page");
      return;
    }
    if (handleCors(req, res)) return;
    if (deps.isJmapServed && req.method === "POST" && req.url === "/jmap/api") {
      reach(res, "api");
      serveApi(req, res).catch((error: unknown) => fail(req, res, error, services));
    } else router(req as Request, res as Response);
  };
  const server = createServer(options, (req, res) => serveInSpan(req, res, () => serve(req, res)));
  putGate(server, new FairTurns());
  server.on("upgrade", (req, socket, head) => deps.push?.upgrade(req, socket, head));
  return server;
}

/** Enough to upload the largest size over a slow line. */
const maxBodyMs = 3_600_000;
/** For the head of a request, from the connection's begin or the first octet on. */
const maxHeadMs = 20_000;
const checkEveryMs = 5_000;
/** For each login: a part of a message is in memory while it is read. */
const maxDownloads = 8;

type Route = (req: Request, res: Response) => Promise<void> | void;
type Handler = (req: Request, res: Response, login: Login) => Promise<void> | void;

type Serve = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

type Add = (path: Endpoint, handler: Route, name?: EndpointName) => void;

interface Routes {
  get: Add;
  post: Add;
  /** Makes a route of a handler that needs a login. */
  signedIn(handler: Handler): Route;
}

function createRouter(deps: HttpDeps, serveApi: Serve): express.Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  /** RFC 9110 §15.5.6: a request with another method is told which one is served. */
  const only =
    (method: "get" | "post", allow: string): Add =>
    (path, handler, name = "other") => {
      app.all(path, (_req, res, next) => {
        reach(res, name);
        next();
      });
      app[method](path, handler);
      app.all(path, (_req, res) => {
        res.setHeader("Allow", allow);
        throw new RequestError("about:blank", 405, `This resource takes ${method.toUpperCase()} only.`);
      });
    };
  const get = only("get", "GET, HEAD, OPTIONS");
  const routes: Routes = {
    get,
    post: only("post", "POST, OPTIONS"),
    signedIn: (handler) => async (req, res) => {
      await handler(req, res, await signIn(req, deps));
    },
  };
  if (deps.isJmapServed) addJmap(routes, deps, serveApi);
  if (deps.push) addPush(routes, deps.push);
  else if (deps.isPushPaused) addPausedPush(routes);
  get("/healthz", (_req, res) => void res.type("text").send("ok\n"));
  get("/readyz", async (_req, res) => {
    const { isReady, text } = await deps.ready();
    res
      .status(isReady ? 200 : 503)
      .set("Cache-Control", "no-store")
      .type(text.startsWith("{") ? "json" : "text")
      .send(text);
  });
  app.use(() => {
    throw new RequestError("about:blank", 404, "There is nothing at this path.");
  });
  app.use(async (error: unknown, req: Request, res: Response, _next: NextFunction) => {
    await fail(req, res, asRequestError(error), deps.services);
  });
  return app;
}

function addJmap({ get, post, signedIn }: Routes, deps: HttpDeps, serveApi: Serve): void {
  const { uploads } = deps;
  const downloads = new Turns(maxDownloads);
  const session = signedIn((req, res, login) =>
    sendJson(req, res, 200, buildSession(deps, login, deps.proxies.baseUrl(req)), {
      "Cache-Control": "no-cache, no-store, must-revalidate",
    }),
  );
  get("/.well-known/jmap", session, "session");
  get("/jmap/session", session, "session");
  post("/jmap/api", serveApi, "api");
  post(
    "/jmap/upload/:accountId",
    signedIn((req, res, login) => {
      needMail(login);
      return uploads.run(login.login, req.socket, () =>
        handleUpload(deps, req, res, login, String(req.params.accountId)),
      );
    }),
    "upload",
  );
  const download = signedIn((req, res, login) => {
    needMail(login);
    const { accountId, blobId, name = "" } = req.params as Record<"accountId" | "blobId", string> & { name?: string };
    const type = urlOf(req).searchParams.get("type") || "application/octet-stream";
    return downloads.run(login.login, () => handleDownload(deps, req, res, login, { accountId, blobId, name, type }));
  });
  get("/jmap/download/:accountId/:blobId/:name", download, "download");
  // For clients that have no name for the file.
  get("/jmap/download/:accountId/:blobId", download, "download");
}

function addPush({ get, signedIn }: Routes, push: PushEndpoints): void {
  const open = signedIn((req, res, login) => {
    needMail(login);
    return push.eventSource(req, res, login, urlOf(req));
  });
  get("/jmap/eventsource", open, "eventsource");
  get("/jmap/ws", wantsUpgrade);
}

/** The session of RFC 8620 §2 names an event source in any case. */
function addPausedPush({ get, signedIn }: Routes): void {
  const refused = signedIn(() => {
    throw new RequestError("about:blank", 503, "Push is paused: this server only reads.");
  });
  get("/jmap/eventsource", refused, "eventsource");
}

/** From now on, the connection's turns count for the login. */
async function signIn(req: IncomingMessage, deps: HttpDeps): Promise<Login> {
  const address = deps.proxies.clientAddress(req);
  const login = await authenticate(req, address, deps);
  gateOf(req).signIn(login.login, address);
  return login;
}

function isWebSocket(req: IncomingMessage): boolean {
  return req.headers.upgrade?.toLowerCase() === "websocket";
}

/** RFC 9110 §15.5.22: answers a request that is not a handshake. */
function wantsUpgrade(req: Request, res: Response): void {
  const refusal = new RequestError("about:blank", 426, "This resource takes WebSocket connections only.");
  refuse(req, res, refusal, { Upgrade: "websocket", Connection: "Upgrade" });
}

/** The router's own refusals, for example of a malformed percent-encoding, carry a status. */
function asRequestError(error: unknown): unknown {
  // The account was removed after the login had been authenticated.
  if (error instanceof AccountMissing) return noSuchAccount();
  const { status } = error as { status?: unknown };
  if (error instanceof RequestError || typeof status !== "number" || status >= 500) return error;
  return new RequestError("about:blank", status, (error as Error).message);
}

/** The root if the target is not a URL. */
function urlOf(req: IncomingMessage): URL {
  return URL.parse(req.url ?? "/", "http://localhost") ?? new URL("http://localhost/");
}
