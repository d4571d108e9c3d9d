import { isIP } from "node:net";
import type { LRUCache } from "lru-cache";
import type { Clock } from "../../base/clock.ts";
import { lru } from "../../base/lru.ts";
import { findTargets, NoRoute, type RouteOptions } from "./route.ts";
import type { Server } from "./session.ts";
import { anyTls } from "./tls-rules.ts";

/** Where a parcel goes. */
export interface Way {
  domain: string;
  /** The host that an operator chose instead of the domain's servers, perhaps with a port. */
  route?: string | null;
}

export interface RoutesOptions extends RouteOptions {
  /** smtp://user:password@host:port: relays all outgoing mail. */
  smarthost?: string | undefined;
  /** Servers, such as smtp://user:password@host:port, that take the mail of some domains instead of their own. */
  routes?: ReadonlyMap<string, string>;
  clock: Clock;
}

export interface Route {
  /** The same for all domains with the same servers. */
  key: string;
  /** In the order to try them. */
  servers: Server[];
  /** An operator chose the servers, and so how much they bear. */
  isChosen: boolean;
}

const keptMs = 30_000;
const failureKeptMs = 10_000;
const maxKept = 10_000;

type Found = { route: Route } | { failure: NoRoute };

/** Finds the servers for mail, and remembers them for a short time. */
export class Routes {
  readonly #options: RoutesOptions;
  readonly #found: LRUCache<string, Promise<Found>>;

  constructor(options: RoutesOptions) {
    this.#options = options;
    const perf = { now: () => options.clock.now().getTime() };
    this.#found = lru({ max: maxKept, ttl: keptMs, ttlResolution: 0, perf });
  }

  /** Throws NoRoute. */
  async of(way: Way): Promise<Route> {
    const key = JSON.stringify([way.domain, way.route ?? null]);
    let finding = this.#found.get(key);
    if (!finding) {
      finding = this.#find(way).then(
        (route) => ({ route }),
        (failure: unknown) => {
          if (!(failure instanceof NoRoute)) throw failure;
          this.#found.set(key, finding!, { ttl: failureKeptMs });
          return { failure };
        },
      );
      this.#found.set(key, finding);
      finding.catch(() => this.#found.delete(key));
    }
    const found = await finding;
    if ("failure" in found) throw found.failure;
    return found.route;
  }

  async #find({ domain, route }: Way): Promise<Route> {
    const { mxPort, routes, smarthost } = this.#options;
    if (route) return this.#chosen(new URL(`smtp://${route}`), mxPort);
    const configured = routes?.get(domain) ?? smarthost;
    if (configured !== undefined) {
      const url = new URL(configured);
      return this.#chosen(url, routes?.has(domain) && url.username === "" ? mxPort : 587);
    }
    const servers = await findTargets(domain, this.#options);
    const names = servers.map(({ name }) => withoutTenant(name, domain));
    return { key: [...new Set(names)].sort().join(" "), servers, isChosen: false };
  }

  async #chosen(url: URL, usualPort: number): Promise<Route> {
    const name = url.hostname.replace(/^\[|\]$/g, "");
    const isSecure = url.protocol === "smtps:";
    const port = url.port ? Number(url.port) : isSecure ? 465 : usualPort;
    const login = url.username
      ? { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) }
      : undefined;
    // An administrator who configures the host may use a private address.
    const options = { ...this.#options, mxPort: port, allowPrivateTargets: true };
    const targets = isIP(name) ? [{ name, address: name, port }] : await findTargets(name, options, "host");
    const requireTls = login !== undefined && !isSecure;
    const servers = targets.map((target) => ({ ...target, isSecure, requireTls, login, tls: anyTls }));
    return { key: `${name}:${port}`, servers, isChosen: true };
  }
}

/** Some providers give each domain a name of its own for the same servers: example-org.mail.provider.test. */
function withoutTenant(name: string, domain: string): string {
  const own = `${domain.replaceAll(".", "-")}.`;
  return name.startsWith(own) ? name.slice(own.length) : name;
}
