import { createHmac, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { Slots } from "../base/slots.ts";
import { keepSetting } from "../store/core/settings.ts";
import type { Store } from "../store/core/store.ts";
import { findKnownNetwork, keepKnownNetwork, knownFor } from "../store/directory/known-networks.ts";
import { findLogin } from "../store/directory/logins.ts";

const day = 24 * 3600_000;
/** A network that was found to be a stranger's is not looked for again for as long: another process may learn of it. */
const strange = 60_000;
/** Guesses from networks that are throttled must not keep the connections to the database busy. */
const atOnce = 4;

interface Place {
  isHome: boolean;
  /** Of the account that was opened there. */
  userId: number;
  /** When to look, or to write, again. */
  until: number;
}

/** The networks where the password of a login was right of late: guesses from elsewhere shut nobody out there. */
export class KnownNetworks {
  readonly #store: Store;
  readonly #places = new LRUCache<string, Place>({ max: 20_000 });
  readonly #lookUps = new Slots(atOnce);
  #key: Promise<Buffer> | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Undefined where only `has` can tell. */
  recall(login: string, network: string): boolean | undefined {
    const place = this.#places.get(placeOf(login, network));
    const now = this.#now().getTime();
    if (place?.isHome) return place.until - day + knownFor > now ? true : undefined;
    return place && place.until > now ? false : undefined;
  }

  async has(login: string, network: string): Promise<boolean> {
    return this.recall(login, network) ?? (await this.#lookUps.run(() => this.#lookUp(login, network)));
  }

  /** Whether it was kept of late. */
  isKept(login: string, userId: number, network: string): boolean {
    const place = this.#places.get(placeOf(login, network));
    return place?.isHome === true && place.userId === userId && place.until > this.#now().getTime();
  }

  /** The password was right there. */
  async keep(login: string, userId: number, network: string): Promise<void> {
    const now = this.#now();
    this.#note(login, network, { isHome: true, userId, until: now.getTime() + day });
    try {
      await keepKnownNetwork(this.#store.database, userId, await this.#hash(login, network), now);
    } catch (error) {
      this.#places.delete(placeOf(login, network));
      throw error;
    }
  }

  async #lookUp(login: string, network: string): Promise<boolean> {
    const recalled = this.recall(login, network);
    if (recalled !== undefined) return recalled;
    const { database } = this.#store;
    const now = this.#now();
    // A login that does not exist costs the same statements.
    const userId = (await findLogin(database, login))?.userId ?? 0;
    const seenAt = await findKnownNetwork(database, userId, await this.#hash(login, network), now);
    const until = seenAt ? seenAt.getTime() + day : now.getTime() + strange;
    this.#note(login, network, { isHome: seenAt !== undefined, userId, until });
    return seenAt !== undefined;
  }

  #note(login: string, network: string, place: Place): void {
    this.#places.set(placeOf(login, network), place);
  }

  /** Whoever reads the table alone learns of no address. */
  async #hash(login: string, network: string): Promise<Buffer> {
    return createHmac("sha256", await this.#loadKey())
      .update(placeOf(login, network))
      .digest();
  }

  #loadKey(): Promise<Buffer> {
    this.#key ??= keepSetting(this.#store.database, "known_network_key", async () => randomBytes(32).toString("hex"))
      .then((text) => Buffer.from(text, "hex"))
      .catch((error: unknown) => {
        this.#key = undefined;
        throw error;
      });
    return this.#key;
  }

  #now(): Date {
    return this.#store.clock.now();
  }
}

/** A login has no NUL. */
function placeOf(login: string, network: string): string {
  return `${login}\0${network}`;
}
