import type { Clock } from "../base/clock.ts";
import type { Database } from "../store/core/database.ts";
import { Seal } from "./seal.ts";

/**
 * What a page keeps between the steps of signing in or of adding a second factor, so that no server has to: sealed, for one
 * purpose, for a short time. A page can only send it back.
 */
export class Tickets {
  readonly #seal: Seal;
  readonly #clock: Clock;
  readonly #site: string;

  /** `site`: the page whose tickets these are; those of another do not count. */
  constructor({ database, clock, site }: { database: Database; clock: Clock; site: string }) {
    this.#seal = new Seal(database);
    this.#clock = clock;
    this.#site = site;
  }

  issue<P extends keyof TicketContent>(purpose: P, content: TicketContent[P]): Promise<string> {
    const until = this.#clock.now().getTime() + lifeMs;
    return this.#seal.seal(`ticket ${this.#site} ${purpose}`, JSON.stringify({ until, content }));
  }

  /** Undefined unless it was issued for this purpose, not long ago. */
  async open<P extends keyof TicketContent>(purpose: P, ticket: unknown): Promise<TicketContent[P] | undefined> {
    if (typeof ticket !== "string" || ticket.length > 5_000) return undefined;
    const text = await this.#seal.open(`ticket ${this.#site} ${purpose}`, ticket);
    if (text === undefined) return undefined;
    const { until, content } = JSON.parse(text) as { until: number; content: TicketContent[P] };
    return until > this.#clock.now().getTime() ? content : undefined;
  }
}

/** As long as a browser waits for its user, and a bit. */
const lifeMs = 10 * 60_000;

/** Who has shown one thing. `mark`: of the hash of the password, since that may be changed meanwhile. */
interface Proved {
  login: string;
  userId: number;
  mark: string;
}

/** Each step of signing in or of adding a second factor, and what it has to know of the one before. */
export interface TicketContent {
  /** The second factor is asked for. */
  proof: Proved & { stay: boolean; challenge: string | null };
  /** A second factor must be added first. */
  factor: Proved & { stay: boolean };
  /** The identity provider knows who it is, and more is needed. */
  provider: Proved & { stay: boolean };
  /** Anybody may sign in with a passkey. */
  passkey: { challenge: string };
  /** `stay`: null if somebody who is signed in adds it. */
  newTotp: Proved & { stay: boolean | null; secret: string };
  newPasskey: Proved & { stay: boolean | null; challenge: string };
}
