import type { IncomingMessage } from "node:http";
import { roleOf } from "../admin/operators.ts";
import { OperatorsDoor } from "../admin/operators-door.ts";
import type { Config } from "../config/schema.ts";
import { capabilities } from "../jmap/capability-names.ts";
import { coreEcho } from "../jmap/core/echo.ts";
import { Proxies } from "../jmap/http/address.ts";
import { Concurrency } from "../jmap/http/limits.ts";
import { News } from "../jmap/http/news.ts";
import { createHttpServer } from "../jmap/http/server.ts";
import type { Services } from "../jmap/method.ts";
import { operatorMethods } from "../jmap/operator/methods.ts";
import { createRegistry } from "../jmap/registry.ts";
import { Pages } from "../web/pages.ts";
import { WebSessions } from "../web/session.ts";
import { urlOf } from "./door-url.ts";
import { drainable } from "./drain.ts";
import { findingsOf } from "./findings.ts";
import type { Part, Parts } from "./parts.ts";
import { siteOf } from "./site.ts";
import { unlessTaken } from "./usual-door.ts";
import { webPlaces } from "./web-limits.ts";

/** Of a login, each of which hears what changes. */
const maxPages = 20;

/**
 * Starts the operators' page and its methods, on a listener of their own: the pages of the inbox are another origin, and their
 * sign-ins open nothing here. Undefined if there is none, or its usual address is another program's.
 */
export async function startOperatorsDoor(config: Config, parts: Parts, services: Services): Promise<Part | undefined> {
  const { operator: place, hostname, defaultQuota, sendingLimits: hasSendingLimits, maxConcurrentRequests } = config;
  const { allowPrivateTargets } = config;
  if (!place || config.readOnly) return undefined;
  const { authenticator, store, bus, counts, ready, events, surroundings } = parts;
  const { clock, random, log, resolver } = surroundings;
  const door = new OperatorsDoor(authenticator, store);
  const { operatorOf } = door;
  const findings = () => findingsOf(config, parts);
  const registry = createRegistry([
    coreEcho,
    ...operatorMethods({
      operatorOf,
      site: siteOf(config),
      allowPrivateTargets,
      resolver,
      defaultQuota,
      hasSendingLimits,
      findings,
    }),
  ]);
  const proxies = new Proxies({ trusted: config.trustedProxies, publicUrl: "", log });
  const sessions = new WebSessions({
    ...{ authenticator, store, bus, clock, random, log, proxies, counts, site: "operator", joining: undefined },
    admits: async (login) => (await roleOf(store, login)) !== undefined,
  });
  const pages = config.web ? new Pages({ site: "operator", load: parts.pageFiles, log }) : undefined;
  const credentials = (req: IncomingMessage) => sessions.credentials(req);
  const draining = new AbortController();
  const news = new News({
    ...{ bus, log, random, credentials, proxies, authenticator: door, draining: draining.signal },
    places: counts.placeLimit("operators' pages", { max: maxPages }),
  });
  const places = counts.placeLimit("operators' requests", { max: maxConcurrentRequests });
  const server = createHttpServer({
    ...{ services, registry, hostname, proxies, ready, authenticator: door },
    requests: new Concurrency("maxConcurrentRequests", places),
    // Nothing is uploaded here: its logins have no accounts.
    uploads: new Concurrency("maxConcurrentUpload", places),
    ...{ publicUrl: "", pushUrl: "", isPushPaused: true, relaxedUsing: false, isJmapServed: true, push: undefined },
    ownCapabilities: (login) => ({ [capabilities.operator]: operatorOf(login) }),
    web: {
      credentials,
      serve: (req, res) => news.serve(req, res) || sessions.serve(req, res) || pages?.serve(req, res) === true,
    },
  });
  const drain = drainable(server);
  // Places of its own: a flood at the other doors keeps no operator out.
  webPlaces(config, proxies, { log, events }).guard(server);
  const port = await unlessTaken(config, log, () => parts.doors.open("operator", place, server));
  if (port === undefined) return undefined;
  pages?.begin();
  const stop: Part["stop"] = (ending) => {
    draining.abort(ending);
    return drain(ending);
  };
  return { url: urlOf("operator", place, port), stop };
}
