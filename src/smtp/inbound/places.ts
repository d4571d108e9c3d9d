import type { LRUCache } from "lru-cache";
import type { Clock } from "../../base/clock.ts";
import { lru } from "../../base/lru.ts";
import { networkOf } from "../../base/network.ts";

/** The connection that has a place. */
export interface Holder {
  /** We owe the peer a reply: cut off now, it may lose or repeat a message. */
  readonly isBusy: boolean;
}

export interface Place<H extends Holder> {
  readonly holder: H;
  readonly network: string;
  /** When it connected, or last made progress with a message. */
  movedAt: number;
}

/** Factor by which a network whose mail was accepted before may take longer for the next step. */
const trust = 20;
const maxKnown = 20_000;
const knownForMs = 30 * 86_400_000;

/**
 * The connections that may be open at once. When one too many arrives, the least useful one is closed: the one that has
 * made no progress for the longest time, multiplied by the number of places of its network.
 */
export class Places<H extends Holder> {
  readonly #max: number;
  readonly #clock: Clock;
  readonly #taken = new Set<Place<H>>();
  /** The number of places of each network. */
  readonly #crowds = new Map<string, number>();
  /** Networks whose mail was accepted. */
  readonly #known: LRUCache<string, true>;

  constructor(max: number, clock: Clock) {
    this.#max = max;
    this.#clock = clock;
    const perf = { now: () => clock.now().getTime() };
    this.#known = lru({ max: maxKnown, ttl: knownForMs, ttlResolution: 0, perf });
  }

  /** More than half of all places are taken. */
  get isCrowded(): boolean {
    return this.#taken.size > this.#max / 2;
  }

  get isOverfull(): boolean {
    return this.#taken.size > this.#max;
  }

  enter(address: string, holder: H): Place<H> {
    const place = { holder, network: neighbourhood(address), movedAt: this.#clock.now().getTime() };
    this.#taken.add(place);
    this.#crowds.set(place.network, this.#crowd(place) + 1);
    return place;
  }

  /** Safe to call twice. */
  leave(place: Place<H>): void {
    if (!this.#taken.delete(place)) return;
    const left = this.#crowd(place) - 1;
    if (left > 0) this.#crowds.set(place.network, left);
    else this.#crowds.delete(place.network);
  }

  /** The peer made progress with a message. */
  moved(place: Place<H>): void {
    place.movedAt = this.#clock.now().getTime();
  }

  /** A message from the peer was accepted. */
  delivered(place: Place<H>): void {
    this.moved(place);
    this.#known.set(place.network, true);
  }

  /** The connection to close when there are too many; undefined when none may be closed. */
  leastUseful(): H | undefined {
    const now = this.#clock.now().getTime();
    let worst: Place<H> | undefined;
    let most = 0;
    for (const place of this.#taken) {
      if (place.holder.isBusy) continue;
      const idle = Math.max(0, now - place.movedAt) + 1;
      const score = (idle * this.#crowd(place)) / (this.#known.has(place.network) ? trust : 1);
      if (score > most) [worst, most] = [place, score];
    }
    return worst?.holder;
  }

  #crowd({ network }: Place<H>): number {
    return this.#crowds.get(network) ?? 0;
  }
}

/** A /24 of IPv4, a /64 of IPv6. */
function neighbourhood(address: string): string {
  const network = networkOf(address);
  return network.includes(":") ? network : network.replace(/\.\d+$/, "");
}
