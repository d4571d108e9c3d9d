import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Config } from "../config/schema.ts";
import { Proxies } from "../jmap/http/address.ts";
import { processRequest } from "../jmap/http/api.ts";
import type { ApiDeps } from "../jmap/http/deps.ts";
import { createEventSource } from "../jmap/http/eventsource.ts";
import { Concurrency } from "../jmap/http/limits.ts";
import { createHttpServer } from "../jmap/http/server.ts";
import { createWebSocketUpgrade } from "../jmap/http/websocket.ts";
import { defaultLimits, type Limits, octetPool } from "../jmap/method.ts";
import { methods } from "../jmap/methods.ts";
import { createRegistry } from "../jmap/registry.ts";
import { drainable } from "./drain.ts";
import type { Parts } from "./parts.ts";
import { hostPort, type Part } from "./parts.ts";

/** Starts the JMAP endpoints and push over WebSocket and EventSource. */
export async function startHttp(config: Config, parts: Parts): Promise<Part> {
  const { authenticator, events, ready } = parts;
  const draining = new AbortController();
  const { bus, surroundings } = parts;
  const { log } = surroundings;
  const proxies = new Proxies({ trusted: config.trustedProxies, publicUrl: config.publicUrl, log });
  const api = createApi(config, parts, { draining: draining.signal, proxies });
  const authenticate = authenticator.authenticate;
  const eventSource = createEventSource({ bus, log, events, draining: draining.signal, authenticate, proxies });
  const server = createHttpServer({ ...api, authenticator, proxies, ready, ...(!config.readOnly && { eventSource }) });
  const drain = drainable(server);
  await listen(server, config.http);
  const { port } = server.address() as AddressInfo;
  const stop = () => {
    draining.abort();
    return drain();
  };
  return { url: `http://${hostPort({ ...config.http, port })}`, stop };
}

function createApi(
  config: Config,
  parts: Parts,
  { draining, proxies }: { draining: AbortSignal; proxies: Proxies },
): ApiDeps {
  const { store, blobs, ingest, authenticator, bus, webPush, events } = parts;
  const { clock, random, log } = parts.surroundings;
  const registry = createRegistry(methods);
  const limits = limitsOf(config);
  const services = { store, blobs, ingest, webPush, clock, random, log, events, limits, octets: octetPool(limits) };
  const { publicUrl, relaxedUsing, maxSizeRequest } = config;
  const requests = new Concurrency("maxConcurrentRequests", config.maxConcurrentRequests);
  const upgrade = createWebSocketUpgrade({
    bus,
    log,
    events,
    random,
    draining,
    authenticate: authenticator.authenticate,
    proxies,
    trustedOrigins: config.trustedOrigins,
    maxSizeRequest,
    processRequest: (...request) => processRequest(deps, ...request),
    inTurn: (login, connection, work) => requests.run(login, connection, () => services.octets.leased(work)),
    arrivals: services.octets.arrivals,
  });
  const deps: ApiDeps = { services, registry, requests, publicUrl, relaxedUsing, ...(!config.readOnly && { upgrade }) };
  return deps;
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

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
