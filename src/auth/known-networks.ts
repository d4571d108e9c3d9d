import { createHmac } from "node:crypto";
import { lru } from "../base/lru.ts";
import { Slots } from "../base/slots.ts";
import { InstallationKey } from "../store/core/installation-key.ts";
import type { Store } from "../store/core/store.ts";
import { findKnownNetwork, isNewNetwork, keepKnownNetwork, knownFor } from "../store/directory/known-networks.ts";
import { findLogin } from "../store/directory/logins.ts";

const dayMs = 24 * 3600_000;
/** How long an unknown network is remembered as unknown. It is short because another process may record the network. */
const unknownMs = 60_000;
/** Guesses from throttled networks must not occupy the connections to the database. */
const maxLookUps = 4;

/** How long it is remembered whether a network is new. */
const newnessMs = 3600_000;

interface Place {
  isHome: boolean;
  /** The login's account when it was seen there. */
  userId: number;
  /** When to query the database, or to record the network, again. */
  until: number;
}

/** The networks where a login's password was right recently. Guesses from elsewhere do not lock the login out there. */
export class KnownNetworks {
  readonly #store: Store;
  readonly #places = lru<string, Place>({ max: 20_000 });
  /** Whether a network is new to a login, and until when that is remembered. */
  readonly #newness = lru<string, { isNew: Promise<boolean>; until: number }>({ max: 20_000 });
  readonly #lookUps = new Slots(maxLookUps);
  readonly #key: InstallationKey;

  constructor(store: Store) {
    this.#store = store;
    this.#key = new InstallationKey(store.database, "known_network_key");
  }

  /** Answers from memory; undefined if only `has`, which asks the database, can tell. */
  recall(login: string, network: string): boolean | undefined {
    const place = this.#places.get(placeOf(login, network));
    const now = this.#now().getTime();
    if (place?.isHome) return place.until - dayMs + knownFor > now ? true : undefined;
    return place && place.until > now ? false : undefined;
  }

  async has(login: string, network: string): Promise<boolean> {
    return this.recall(login, network) ?? (await this.#lookUps.run(() => this.#lookUp(login, network)));
  }

  /** Whether the network was recorded within the last day, so it need not be recorded again. */
  isKept(login: string, userId: number, network: string): boolean {
    const place = this.#places.get(placeOf(login, network));
    return place?.isHome === true && place.userId === userId && place.until > this.#now().getTime();
  }

  /** Records that the password was right in this network. */
  async keep(login: string, userId: number, network: string): Promise<void> {
    const now = this.#now();
    this.#note(login, network, { isHome: true, userId, until: now.getTime() + dayMs });
    try {
      await keepKnownNetwork(this.#store.database, userId, await this.#hash(login, network), now);
    } catch (error) {
      this.#places.delete(placeOf(login, network));
      throw error;
    }
  }

  /** Whether the login has been elsewhere for longer, and is in this network for the first time, or since a few days. */
  isNew(login: string, userId: number, network: string): Promise<boolean> {
    const place = placeOf(login, network);
    const now = this.#now();
    const known = this.#newness.get(place);
    if (known && known.until > now.getTime()) return known.isNew;
    const isNew = this.#hash(login, network).then((hash) => isNewNetwork(this.#store.database, userId, hash, now));
    this.#newness.set(place, { isNew, until: now.getTime() + newnessMs });
    isNew.catch(() => this.#newness.delete(place));
    return isNew;
  }

  async #lookUp(login: string, network: string): Promise<boolean> {
    const recalled = this.recall(login, network);
    if (recalled !== undefined) return recalled;
    const { database } = this.#store;
    const now = this.#now();
    // An unknown login runs the same statements, so that the time does not show it.
    const userId = (await findLogin(database, login))?.userId ?? 0;
    const seenAt = await findKnownNetwork(database, userId, await this.#hash(login, network), now);
    const until = seenAt ? seenAt.getTime() + dayMs : now.getTime() + unknownMs;
    this.#note(login, network, { isHome: seenAt !== undefined, userId, until });
    return seenAt !== undefined;
  }

  #note(login: string, network: string, place: Place): void {
    this.#places.set(placeOf(login, network), place);
  }

  /** Hashed with a key, so that the table alone reveals no address. */
  async #hash(login: string, network: string): Promise<Buffer> {
    return createHmac("sha256", await this.#key.load())
      .update(placeOf(login, network))
      .digest();
  }

  #now(): Date {
    return this.#store.clock.now();
  }
}

/** NUL separates the two, since a login never contains one. */
function placeOf(login: string, network: string): string {
  return `${login}\0${network}`;
}
