import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { Server as NetServer } from "node:net";
import { addAccount } from "../admin/accounts.ts";
import type { Admin } from "../admin/admin.ts";
import type { Config } from "../config/schema.ts";
import { Proxies } from "../jmap/http/address.ts";
import { processRequest } from "../jmap/http/api.ts";
import type { ApiDeps, WebEndpoints } from "../jmap/http/deps.ts";
import { createEventSource } from "../jmap/http/eventsource.ts";
import { Concurrency } from "../jmap/http/limits.ts";
import { createHttpServer } from "../jmap/http/server.ts";
import { createWebSocketUpgrade, type Upgrade } from "../jmap/http/websocket.ts";
import { defaultLimits, type Limits, octetPool } from "../jmap/method.ts";
import { methods } from "../jmap/methods.ts";
import { createRegistry } from "../jmap/registry.ts";
import { maxUnsubscribes } from "../jmap/unsubscribe/post.ts";
import { Poster } from "../push/webpush/post.ts";
import { discovery } from "../web/discovery.ts";
import { MtaStsPolicies } from "../web/mta-sts.ts";
import { Oauth } from "../web/oauth/server.ts";
import { Oidc, type OidcOptions, type Provider } from "../web/oidc.ts";
import { Pages } from "../web/pages.ts";
import { WebSessions } from "../web/session.ts";
import { WebTokens } from "../web/web-tokens.ts";
import { urlOf } from "./door-url.ts";
import type { WebDoor } from "./doors.ts";
import { drainable } from "./drain.ts";
import { joiningOf } from "./joining.ts";
import { startOperatorsDoor } from "./operators-door.ts";
import type { Part, Parts } from "./parts.ts";
import { createHttps } from "./tls/https.ts";
import { createRedirect } from "./tls/redirect.ts";
import { webPlaces } from "./web-limits.ts";

/** Of each kind, WebSockets and event sources. */
const maxConnectionsPerLogin = 64;

/** Of a login in an hour: each is hashed. */
const maxNewAppPasswords = 20;

/**
 * Starts the JMAP endpoints (role `http`), and push over WebSocket and EventSource: apart (role `push`), or with them. All is
 * served at each of the doors, but for `httpRedirect`.
 */
export async function startHttp(config: Config, parts: Parts): Promise<Partial<Record<WebDoor, Part>>> {
  const { authenticator, events, counts, ready } = parts;
  const isJmapServed = config.roles.includes("http");
  const isPushPaused = config.readOnly && config.pushUrl === "";
  const isPushServed = config.roles.includes("push") || (isJmapServed && config.pushUrl === "" && !isPushPaused);
  const draining = new AbortController();
  const { bus, surroundings } = parts;
  const { log } = surroundings;
  const proxies = new Proxies({ trusted: config.trustedProxies, publicUrl: config.publicUrl, log });
  const pages = isJmapServed && config.web ? new Pages({ site: "inbox", load: parts.pageFiles, log }) : undefined;
  const web = config.web ? webEndpoints(config, parts, { proxies, pages }) : undefined;
  const { deps, upgrade } = createApi(config, parts, { draining: draining.signal, proxies, isPushPaused, web });
  const authenticate = authenticator.authenticate;
  const streams = {
    places: counts.placeLimit("event sources", { max: maxConnectionsPerLogin }),
    authenticate,
    credentials: web?.credentials,
    proxies,
  };
  const eventSource = createEventSource({ bus, log, events, draining: draining.signal, ...streams });
  const push = isPushServed ? { upgrade, eventSource } : undefined;
  const policies = new MtaStsPolicies(parts.store.database);
  const found = isJmapServed ? discoveryOf(config, proxies) : undefined;
  const clients = { push, web, policies, discovery: found };
  const server = createHttpServer({ ...deps, authenticator, proxies, ready, isJmapServed, ...clients });
  const drain = drainable(server);
  const places = webPlaces(config, proxies, { log, events });
  const opened: Partial<Record<WebDoor, Part>> = {};
  const open = async (name: WebDoor, door: NetServer, stop: Part["stop"]) => {
    const place = config[name]!;
    opened[name] = { url: urlOf(name, place, await parts.doors.open(name, place, door)), stop };
  };
  const { tls } = parts;
  if (tls && config.https) {
    const https = createHttps(server, { ...tls, log });
    places.guardTls(https);
    await open("https", https, async () => void https.close());
  }
  if (config.httpRedirect) {
    const { publicUrl, https } = config;
    const redirect = createRedirect({ publicUrl, port: https?.port ?? 443, challenges: tls?.challenges });
    places.guard(redirect);
    await open("httpRedirect", redirect, async () => void redirect.close());
  }
  const operators = isJmapServed ? await startOperatorsDoor(config, parts, deps.services) : undefined;
  if (operators) opened.operator = operators;
  places.guard(server);
  // Last, since it is this server that drains the connections of both.
  await open("http", server, (ending) => {
    draining.abort(ending);
    return drain(ending);
  });
  pages?.begin();
  return opened;
}

function discoveryOf({ hostname, submissions, submission }: Config, proxies: Proxies) {
  const ports = { submissions: submissions?.port, submission: submission?.port };
  return discovery({ hostname, ...ports, baseUrl: (req) => proxies.baseUrl(req) });
}

function providerOf({ oidcIssuer, oidcClientId, oidcClientSecretFile }: Config): Provider | undefined {
  if (oidcIssuer === "") return undefined;
  const clientSecret = readFileSync(oidcClientSecretFile, "utf8").trim();
  return { issuer: oidcIssuer, clientId: oidcClientId, clientSecret };
}

/** For those whom the identity provider knows: they have no password of their own until they or an operator set one. */
function accountMaker({ oidcCreate, defaultQuota }: Config, means: Omit<Admin, "who">): OidcOptions["createAccount"] {
  if (!oidcCreate) return undefined;
  const admin = { ...means, who: "identity provider" };
  return async (address, name) => {
    await addAccount(admin, { address, name, password: randomBytes(32).toString("base64url"), quota: defaultQuota });
  };
}

/** Pages, signing in to them, and OAuth; where push is served apart, the cookie counts too. */
function webEndpoints(
  config: Config,
  { authenticator, store, bus, counts, surroundings }: Parts,
  { proxies, pages }: { proxies: Proxies; pages: Pages | undefined },
): WebEndpoints {
  const { clock, random, log } = surroundings;
  const { hostname } = config;
  const means = { authenticator, store, bus, counts, clock, random, log, proxies, hostname };
  const sessions = new WebSessions({ ...means, site: "inbox", joining: joiningOf(config, means) });
  const credentials = (req: IncomingMessage) => sessions.credentials(req);
  const oauth = new Oauth({ ...means, credentials });
  const oidc = new Oidc({
    ...{ ...means, tokens: new WebTokens({ ...means, site: "inbox", joining: undefined }), strong: config.oidcAcr },
    ...{ provider: providerOf(config), createAccount: accountMaker(config, means) },
  });
  return {
    credentials,
    resourceMetadata: (req) => oauth.resourceMetadata(req),
    serve: (req, res) =>
      pages !== undefined &&
      (oidc.serve(req, res) || sessions.serve(req, res) || oauth.serve(req, res) || pages.serve(req, res)),
  };
}

interface ApiOptions {
  draining: AbortSignal;
  proxies: Proxies;
  isPushPaused: boolean;
  web: WebEndpoints | undefined;
}

function createApi(
  config: Config,
  parts: Parts,
  { draining, proxies, isPushPaused, web }: ApiOptions,
): { deps: ApiDeps; upgrade: Upgrade } {
  const { store, blobs, ingest, returnPaths, authenticator, bus, webPush, events, counts, scanners, learner } = parts;
  const { clock, random, log } = parts.surroundings;
  const registry = createRegistry(methods);
  const limits = limitsOf(config);
  const means = { store, blobs, ingest, returnPaths, webPush, clock, random, log, events, scanners, learner };
  const newAppPasswords = counts.rateLimit("new app passwords", { max: maxNewAppPasswords, windowMs: 3_600_000 });
  const unsubscribes = counts.rateLimit("unsubscribes", { max: maxUnsubscribes, windowMs: 3_600_000 });
  const { allowPrivateTargets } = config;
  const poster = new Poster({ resolver: parts.surroundings.resolver, allowPrivateTargets });
  const ofLogins = { bus, authenticator, newAppPasswords, unsubscribes, poster };
  const hasSendingLimits = config.sendingLimits;
  const { keepDeleted: keepDeletedForMs } = config;
  const services = { ...means, ...ofLogins, hasSendingLimits, keepDeletedForMs, limits, octets: octetPool(limits) };
  const { publicUrl, pushUrl, relaxedUsing, maxSizeRequest, hostname } = config;
  const places = (name: string, max: number) => counts.placeLimit(name, { max });
  const requests = new Concurrency("maxConcurrentRequests", places("requests", config.maxConcurrentRequests));
  const uploads = new Concurrency("maxConcurrentUpload", places("uploads", config.maxConcurrentUpload));
  const upgrade = createWebSocketUpgrade({
    bus,
    log,
    events,
    random,
    draining,
    authenticate: authenticator.authenticate,
    credentials: web?.credentials,
    resourceMetadata: web?.resourceMetadata,
    proxies,
    places: places("websockets", maxConnectionsPerLogin),
    trustedOrigins: config.trustedOrigins,
    maxSizeRequest,
    processRequest: (...request) => processRequest(deps, ...request),
    inTurn: (login, connection, work) => requests.run(login, connection, () => services.octets.leased(work)),
    arrivals: services.octets.arrivals,
  });
  const urls = { publicUrl, pushUrl, hostname };
  const deps: ApiDeps = { services, registry, requests, uploads, ...urls, isPushPaused, relaxedUsing };
  return { deps, upgrade };
}

function limitsOf(config: Config): Limits {
  const { maxSizeUpload, maxSizeRequest, maxCallsInRequest, maxObjectsInGet, maxObjectsInSet } = config;
  const { maxConcurrentRequests, maxConcurrentUpload } = config;
  return {
    ...defaultLimits,
    maxSizeUpload,
    maxSizeRequest,
    maxCallsInRequest,
    maxObjectsInGet,
    maxObjectsInSet,
    maxConcurrentRequests,
    maxConcurrentUpload,
  };
}
