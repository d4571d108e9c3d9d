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
import { defaultLimits, type Limits, type Method, octetPool } from "../jmap/method.ts";
import { methods } from "../jmap/methods.ts";
import { createRegistry } from "../jmap/registry.ts";
import type { Metrics } from "../ops/metrics.ts";
import { drainable } from "./drain.ts";
import type { Parts } from "./parts.ts";
import { hostPort, type Part } from "./parts.ts";

/** The JMAP endpoints, and push. */
export async function startHttp(config: Config, parts: Parts): Promise<Part> {
  const { authenticator, metrics, ready } = parts;
  const draining = new AbortController();
  const { bus, surroundings } = parts;
  const { log } = surroundings;
  const proxies = new Proxies({ trusted: config.trustedProxies, publicUrl: config.publicUrl, log });
  const api = createApi(config, parts, { draining: draining.signal, proxies });
  const authenticate = authenticator.authenticate;
  const eventSource = createEventSource({ bus, log, draining: draining.signal, authenticate, proxies });
  const server = createHttpServer({ ...api, authenticator, proxies, ready, eventSource });
  observe(server, metrics);
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
  const { store, blobs, ingest, authenticator, bus, webPush, metrics } = parts;
  const { clock, random, log } = parts.surroundings;
  const registry = createRegistry(methods.map((method) => timed(method, metrics)));
  const limits = limitsOf(config);
  const services = { store, blobs, ingest, webPush, clock, random, log, limits, octets: octetPool(limits) };
  const { publicUrl, relaxedUsing, maxSizeRequest } = config;
  const requests = new Concurrency("maxConcurrentRequests", config.maxConcurrentRequests);
  const upgrade = createWebSocketUpgrade({
    bus,
    log,
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
  const deps: ApiDeps = { services, registry, requests, publicUrl, relaxedUsing, upgrade };
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

function timed(method: Method, metrics: Metrics): Method {
  return {
    ...method,
    async run(args, call, prepared) {
      const begin = performance.now();
      let outcome = "ok";
      try {
        return await method.run(args, call, prepared);
      } catch (error) {
        outcome = String((error as { type?: unknown }).type ?? "serverFail");
        throw error;
      } finally {
        metrics.call(method.name, outcome, (performance.now() - begin) / 1000);
      }
    },
  };
}

const endpoints = new Set(["api", "session", "upload", "download", "eventsource"]);

function observe(server: Server, metrics: Metrics): void {
  server.prependListener("request", (req, res) => {
    const begin = performance.now();
    const [, first = "", second = ""] = (req.url ?? "").split("?")[0]!.split("/");
    const known = first === "jmap" && endpoints.has(second) ? second : "other";
    const endpoint = first === ".well-known" ? "session" : known;
    res.once("close", () => metrics.request(endpoint, res.statusCode, (performance.now() - begin) / 1000));
  });
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
