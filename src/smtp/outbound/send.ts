import type { Random } from "../../base/clock.ts";
import type { Events } from "../../base/events.ts";
import { lru } from "../../base/lru.ts";
import { neighbourhoodOf } from "../../base/network.ts";
import type { PlaceLimit, SharedCounts, SharedTurns } from "../../base/shared-counts.ts";
import { Connections } from "./connections.ts";
import type { Place } from "./fair-queue.ts";
import type { Parcel } from "./fitted.ts";
import { Peer } from "./peer.ts";
import { departureTo } from "./pools/departures.ts";
import type { PoolClass } from "./pools/pools-file.ts";
import type { Sources } from "./pools/sources.ts";
import type { Answer } from "./reply.ts";
import { lacksRequireTls, withoutWaiting } from "./require-tls.ts";
import { NoRoute } from "./route.ts";
import { type Route, Routes, type RoutesOptions, type Way } from "./routes.ts";
import { type Server, type Session, Unreachable } from "./session.ts";
import { anyTls, type FindTlsRules, type TlsRules, verifiedTls } from "./tls-rules.ts";
import { transact } from "./transaction.ts";
import { type Claim, type SlotLimits, TransactionSlots } from "./transaction-slots.ts";
import type { Tries, Try } from "./tries.ts";

export interface SendOptions extends RoutesOptions {
  /** What the servers of a domain must prove. Those that an operator chose are not asked for. (Default: nothing.) */
  tlsRules?: FindTlsRules;
  /** Counts the transactions with each destination. */
  counts: SharedCounts;
  /** Our addresses, for mail that goes to the servers of its domain. (Default: the system chooses.) */
  sources?: Sources | undefined;
  random: Random;
  events: Pick<Events, "connectionUsed">;
  slots?: Partial<SlotLimits>;
}

/** A mail for the recipients of one domain, which waits for its turn. */
export interface Waiting {
  way: Way;
  place: Place;
  /** Which of our addresses it may leave from. (Default: personal) */
  pool?: PoolClass;
  /** The message takes much memory. (Default: false) */
  isLarge?: boolean;
  /** When an operator asked for an attempt at once. */
  urgedAt?: Date | undefined;
  /** How many recipients it has. */
  recipients: number;
  /** Makes the parcel when its turn has come, or says why it can't go. What it throws, `send` throws. */
  begin(): Promise<Parcel | Answer>;
  /** Gets each server that was tried. */
  tries: Tries;
}

const maxConcurrentPerDestination = 5;
const maxConcurrentPerChosen = 20;
const maxServers = 6;
/** After this time no other server is tried. */
const maxTotalMs = 2 * 60_000;
const maxPeers = 10_000;
const silentMs = 60_000;

/** When a large mail is looked at again for which there was no memory. */
const largeAgainMs = 10_000;

/**
 * Sends to other servers. This process has a limited number of transactions at once (TransactionSlots); those with one destination are limited
 * in all processes together, so that it does not have to bear as many as there are processes.
 */
export class Sender {
  readonly #options: SendOptions;
  readonly #routes: Routes;
  readonly #slots: TransactionSlots;
  readonly #places: PlaceLimit;
  readonly #placesOfChosen: PlaceLimit;
  readonly #turns: SharedTurns;
  readonly #peers = new Map<string, Peer>();
  readonly #connections: Connections;
  /** Addresses that did not answer a short time ago: they are tried after the others. */
  readonly #silent = lru<string, true>({ max: 10_000, ttl: silentMs });
  #isClosed = false;

  constructor(options: SendOptions) {
    this.#options = options;
    this.#routes = new Routes(options);
    this.#slots = new TransactionSlots(options.slots);
    this.#connections = new Connections(options.hostname);
    const { counts } = options;
    this.#places = counts.placeLimit("smtp-out domain", { max: maxConcurrentPerDestination });
    this.#placesOfChosen = counts.placeLimit("smtp-out chosen host", { max: maxConcurrentPerChosen });
    this.#turns = counts.turns("smtp-out pace");
  }

  /**
   * Resolves with an answer for each recipient, in order, or with the time at which a mail must come back that has not been
   * tried. Never throws for a failure of a server or DNS.
   */
  async send(mail: Waiting): Promise<Answer[] | Date> {
    try {
      const route = await this.#routes.of(mail.way);
      if (this.#isClosed) return this.#options.clock.now();
      const peer = this.#peerOf(route);
      return await peer.inTurn(mail.place, async () => {
        const silent = await peer.pace.notTried(mail.urgedAt);
        if (silent) return notTried(mail, silent);
        const claim = claimOf(mail, route);
        // Waiting here, it would keep the small mail of its destination waiting behind it.
        if (!this.#slots.hasMemoryFor(claim)) return new Date(this.#options.clock.now().getTime() + largeAgainMs);
        return this.#slots.run(claim, () => this.#attempt(mail, route, peer));
      });
    } catch (error) {
      if (!(error instanceof NoRoute)) throw error;
      // What may not leave at all says so, wherever it should have gone.
      const parcel = await mail.begin();
      const answer = "kind" in parcel ? parcel : error.answer;
      if (answer === error.answer) mail.tries.begin().ended([answer]);
      return Array.from({ length: mail.recipients }, () => answer);
    }
  }

  /** Ends connections without a mail; mail that waits for its turn must come back later. */
  close(): void {
    this.#isClosed = true;
    this.#connections.close();
    for (const peer of this.#peers.values()) peer.close();
  }

  #peerOf({ key, isChosen }: Route): Peer {
    let peer = this.#peers.get(key);
    if (peer) return peer;
    if (this.#peers.size >= maxPeers) this.#forgetIdle();
    const { clock, random } = this.#options;
    const limits = isChosen
      ? { maxAtOnce: maxConcurrentPerChosen, places: this.#placesOfChosen }
      : { maxAtOnce: maxConcurrentPerDestination, places: this.#places };
    peer = new Peer({ key, ...limits, turns: this.#turns, clock, random, isSlow: () => this.#slots.isSlow(key) });
    this.#peers.set(key, peer);
    return peer;
  }

  #forgetIdle(): void {
    for (const [key, peer] of this.#peers) if (peer.isIdle) this.#peers.delete(key);
  }

  async #attempt(mail: Waiting, { servers, isChosen }: Route, { pace }: Peer): Promise<Answer[] | Date> {
    const { tries, way, recipients } = mail;
    const begunAt = this.#options.clock.now().getTime();
    try {
      const parcel = await mail.begin();
      if ("kind" in parcel) {
        pace.dropped();
        return Array.from({ length: recipients }, () => parcel);
      }
      const { sources } = this.#options;
      const departure = sources && !isChosen ? await departureTo(servers, mail.pool ?? "personal", sources) : undefined;
      if (departure instanceof Date) {
        pace.dropped();
        return departure;
      }
      const reached = departure?.servers ?? servers;
      const { answers, isUnreachable } = await this.#tryAll(way.domain, reached, parcel, tries);
      pace.ended(answers, { begunAt, isUnreachable });
      await departure?.ended(answers);
      return answers;
    } catch (error) {
      pace.dropped();
      throw error;
    }
  }

  async #tryAll(
    domain: string,
    servers: readonly Server[],
    parcel: Parcel,
    tries: Tries,
  ): Promise<{ answers: Answer[]; isUnreachable: boolean }> {
    let last: Answer | undefined;
    let isUnreachable = true;
    const deadline = Date.now() + maxTotalMs;
    const isSilent = ({ address, port }: Server) => Number(this.#silent.has(`${address} ${port}`));
    const ordered = servers.toSorted((one, other) => isSilent(one) - isSilent(other));
    for (const server of ordered.slice(0, maxServers)) {
      if (Date.now() > deadline) break;
      try {
        const tls = await this.#rulesFor(domain, server, parcel, tries);
        return { answers: await this.#try({ ...server, tls }, parcel, tries), isUnreachable: false };
      } catch (thrown) {
        if (!(thrown instanceof Unreachable)) throw thrown;
        const error = parcel.tlsWish === "required" ? withoutWaiting(thrown) : thrown;
        isUnreachable &&= error.isSilent;
        if (error.isSilent) this.#silent.set(`${server.address} ${server.port}`, true);
        // The mail waits as long as any of the servers may work later.
        if (last?.kind !== "deferred") last = error.answer;
      }
    }
    const answer = last ?? { kind: "deferred", smtpReply: "451 4.4.1 no server to try" };
    return { answers: parcel.recipients.map(() => answer), isUnreachable };
  }

  async #rulesFor(domain: string, server: Server, { tlsWish }: Parcel, tries: Tries): Promise<TlsRules> {
    // An operator vouches for the servers that he chose.
    if (server.tls) return tlsWish === "required" ? verifiedTls(server.name) : server.tls;
    try {
      const rules = await this.#options.tlsRules?.(domain, server, tlsWish);
      return rules ?? (tlsWish === "required" ? verifiedTls(server.name) : anyTls);
    } catch (error) {
      if (error instanceof Unreachable) tries.begin(server).ended([error.answer]);
      throw error;
    }
  }

  /**
   * What happens in one connection need not happen in the next: a mail that was not handed over is sent again at once, in a
   * new one.
   */
  async #try(server: Server, parcel: Parcel, tries: Tries): Promise<Answer[]> {
    for (let isLast = false; ; isLast = true) {
      const attempt = tries.begin(server);
      if (server.source) attempt.note(`from ${server.source.address} (${server.source.name})`);
      const kept = isLast ? undefined : this.#connections.take(server, attempt);
      const session = kept ?? (await this.#open(server, attempt));
      this.#options.events.connectionUsed({ use: kept ? "kept" : "new" });
      attempt.tls = session.tls;
      const lacking = parcel.tlsWish === "required" ? lacksRequireTls(session) : undefined;
      if (lacking) {
        attempt.ended([lacking]);
        this.#connections.give(session);
        throw new Unreachable(lacking);
      }
      try {
        const answers = await transact(session, parcel);
        attempt.ended(answers);
        return answers;
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        attempt.ended([error.answer]);
        if (isLast) throw new Unreachable(error.answer);
      } finally {
        this.#connections.give(session);
      }
    }
  }

  async #open(server: Server, attempt: Try): Promise<Session> {
    try {
      return await this.#connections.open(server, attempt);
    } catch (error) {
      if (error instanceof Unreachable) attempt.ended([error.answer]);
      throw error;
    }
  }
}

function claimOf({ place, isLarge = false }: Waiting, { key, servers, isChosen }: Route): Claim {
  const network = isChosen ? undefined : neighbourhoodOf(servers[0]!.address);
  return { account: place.account, destination: key, network, isLarge };
}

function notTried({ tries, recipients }: Waiting, { answer, since }: { answer: Answer; since: Date }): Answer[] {
  const attempt = tries.begin();
  attempt.note(`not tried: none of its servers could be reached since ${since.toISOString()}`);
  attempt.ended([answer]);
  return Array.from({ length: recipients }, () => answer);
}
