import { isIP } from "node:net";
import { pauseFor } from "../../base/retry.ts";
import type { PlaceLimit, SharedCounts } from "../../base/shared-counts.ts";
import { Slots } from "../../base/slots.ts";
import type { Parcel } from "./fitted.ts";
import type { Answer } from "./reply.ts";
import { findTargets, NoRoute, type RouteOptions } from "./route.ts";
import { anyTls, type FindTlsRules } from "./tls-rules.ts";
import { type Server, transact, Unreachable } from "./transaction.ts";
import type { Tries } from "./tries.ts";

/** Where a parcel goes. */
export interface Way {
  domain: string;
  /** The host that an operator chose instead of the domain's servers, perhaps with a port. */
  route?: string | null;
}

export interface SendOptions extends RouteOptions {
  /** smtp://user:password@host:port: relays all outgoing mail. */
  smarthost?: string | undefined;
  /** Servers, such as smtp://user:password@host:port, that take the mail of some domains instead of their own. */
  routes?: ReadonlyMap<string, string>;
  /** What the servers of a domain must prove. Those that an operator chose are not asked for. (Default: nothing.) */
  tlsRules?: FindTlsRules;
  /** Counts the transactions with each domain. */
  counts: SharedCounts;
}

const maxConcurrent = 50;
const maxConcurrentPerDomain = 5;
/** How soon a process looks again while others have all places of a domain. */
const lookAgainMs = 250;
const maxServers = 6;
/** After this time no other server is tried. */
const maxTotalMs = 2 * 60_000;

/**
 * Sends to other servers. This process has a limited number of transactions at once; those with one domain are limited in
 * all processes together, so that a domain does not have to bear as many as there are processes.
 */
export class Sender {
  readonly #options: SendOptions;
  readonly #all = new Slots(maxConcurrent);
  readonly #places: PlaceLimit;
  /** Of the messages of this process to each domain, so many at a time look for a place. */
  readonly #domains = new Map<string, { slots: Slots; users: number }>();

  constructor(options: SendOptions) {
    this.#options = options;
    this.#places = options.counts.placeLimit("smtp-out domain", { max: maxConcurrentPerDomain });
  }

  /**
   * Returns an answer for each recipient, in order. Never throws for a failure of a server or DNS. Calls `begin` when
   * its turn has come, which may be much later, and throws what `begin` throws. `tries` gets each server that was tried.
   */
  send(way: Way, parcel: Parcel, tries: Tries, begin: () => Promise<void>): Promise<Answer[]> {
    const attempt = () =>
      this.#all.run(async () => {
        await begin();
        return this.#send(way, parcel, tries);
      });
    // A smart host takes whatever this process may send at once.
    const host =
      way.route ?? this.#options.routes?.get(way.domain) ?? (this.#options.smarthost ? undefined : way.domain);
    return host === undefined ? attempt() : this.#inTurn(host, attempt);
  }

  async #inTurn<T>(domain: string, work: () => Promise<T>): Promise<T> {
    const entry = this.#domains.get(domain) ?? { slots: new Slots(this.#places.max), users: 0 };
    this.#domains.set(domain, entry);
    entry.users++;
    try {
      return await entry.slots.run(async () => {
        // A process that has no place of the domain gets one at once: none waits for ever.
        while (!(await this.#places.take(domain))) await pauseFor(lookAgainMs);
        try {
          return await work();
        } finally {
          this.#places.leave(domain);
        }
      });
    } finally {
      if (--entry.users === 0) this.#domains.delete(domain);
    }
  }

  async #send(way: Way, parcel: Parcel, tries: Tries): Promise<Answer[]> {
    const { hostname } = this.#options;
    let last: Answer | undefined;
    try {
      const servers = await this.#servers(way);
      const deadline = Date.now() + maxTotalMs;
      for (const server of servers.slice(0, maxServers)) {
        if (Date.now() > deadline) break;
        const attempt = tries.begin(server);
        try {
          const tls = server.tls ?? (await this.#options.tlsRules?.(way.domain, server)) ?? anyTls;
          const answers = await transact({ ...server, tls }, parcel, hostname, attempt);
          attempt.ended(answers);
          return answers;
        } catch (error) {
          if (!(error instanceof Unreachable)) throw error;
          attempt.ended([error.answer]);
          // The mail waits as long as any of the servers may work later.
          if (last?.kind !== "deferred") last = error.answer;
        }
      }
    } catch (error) {
      if (!(error instanceof NoRoute)) throw error;
      last = error.answer;
      tries.begin().ended([last]);
    }
    const answer = last ?? { kind: "deferred", smtpReply: "451 4.4.1 no server to try" };
    return parcel.recipients.map(() => answer);
  }

  #servers({ domain, route }: Way): Promise<Server[]> {
    const { mxPort, routes, smarthost } = this.#options;
    if (route) return this.#serversOf(new URL(`smtp://${route}`), mxPort);
    const configured = routes?.get(domain);
    if (configured !== undefined) return this.#serversOf(new URL(configured), configured.includes("@") ? 587 : mxPort);
    return smarthost ? this.#serversOf(new URL(smarthost)) : findTargets(domain, this.#options);
  }

  async #serversOf(url: URL, usualPort = 587): Promise<Server[]> {
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
    return targets.map((target) => ({ ...target, isSecure, requireTls, login, tls: anyTls }));
  }
}
