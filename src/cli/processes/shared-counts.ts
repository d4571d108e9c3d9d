import type { Clock } from "../../base/clock.ts";
import { OwnCounts } from "../../base/own-counts.ts";
import type { PlaceLimit, RateLimit, SharedCounts, SharedTurns, Throttle } from "../../base/shared-counts.ts";
import type { Line } from "./line.ts";

interface Question<Act extends string> {
  name: string;
  act: Act;
  key: string;
}
type ThrottleQuestion = Question<"isBlocked" | "attempt" | "fail" | "withdraw" | "forgive"> & { free: number };
interface TurnQuestion {
  name: string;
  key: string;
  intervalMs: number;
}
type RateQuestion = Question<"count"> & { max: number; windowMs: number };
/** `own` is the number of places that the child has taken without asking. */
type PlaceQuestion = Question<"take" | "leave"> & { max: number; own: number };

/** The parent's side: counts for all children. */
export class ParentCounts {
  readonly #own: OwnCounts;
  readonly #throttles = new Map<string, Throttle>();
  readonly #rates = new Map<string, RateLimit>();
  readonly #turns = new Map<string, SharedTurns>();
  readonly #places = new PlaceBook();

  constructor(clock: Clock) {
    this.#own = new OwnCounts({ clock });
  }

  /** Answers a child until it ends; then its places come free. */
  serve(line: Line): void {
    const taken = new PlaceBook();
    line.hear("throttle", ({ name, act, key, free }: ThrottleQuestion) =>
      entry(this.#throttles, name, () => this.#own.throttle(name, { free }))[act](key),
    );
    line.hear("rate", ({ name, key, max, windowMs }: RateQuestion) =>
      entry(this.#rates, name, () => this.#own.rateLimit(name, { max, windowMs })).count(key),
    );
    line.hear("turn", ({ name, key, intervalMs }: TurnQuestion) =>
      entry(this.#turns, name, () => this.#own.turns(name)).book(key, intervalMs),
    );
    line.hear("place", ({ name, act, key, max, own }: PlaceQuestion) => {
      const place = `${name}\0${key}`;
      const add = (count: number) => {
        this.#places.add(place, count);
        taken.add(place, count);
      };
      if (act === "leave") {
        add(-1);
        return true;
      }
      add(own);
      const isFree = this.#places.count(place) < max;
      if (isFree) add(1);
      return isFree;
    });
    const leave = () => {
      for (const [place, count] of taken.empty()) this.#places.add(place, -count);
    };
    line.hear("leave all places", leave);
    line.onEnd(leave);
  }
}

/** How many places are taken. */
class PlaceBook {
  readonly #counts = new Map<string, number>();

  count(place: string): number {
    return this.#counts.get(place) ?? 0;
  }

  add(place: string, more: number): void {
    const count = this.count(place) + more;
    if (count > 0) this.#counts.set(place, count);
    else this.#counts.delete(place);
  }

  empty(): [string, number][] {
    const all = [...this.#counts];
    this.#counts.clear();
    return all;
  }
}

/** The child's side: asks the parent. Without a parent a child is ending, and nothing is refused. */
export class ChildCounts implements SharedCounts {
  readonly #line: Line;

  constructor(line: Line) {
    this.#line = line;
  }

  throttle(name: string, { free }: { free: number }): Throttle {
    const question = (act: ThrottleQuestion["act"], key: string): ThrottleQuestion => ({ name, act, key, free });
    const tell = (act: "fail" | "withdraw" | "forgive") => (key: string) =>
      this.#line.tell("throttle", question(act, key));
    return {
      isBlocked: (key) => this.#ask("throttle", question("isBlocked", key), false),
      attempt: (key) => this.#ask("throttle", question("attempt", key), true),
      fail: tell("fail"),
      withdraw: tell("withdraw"),
      forgive: tell("forgive"),
    };
  }

  rateLimit(name: string, options: { max: number; windowMs: number }): RateLimit {
    return { count: (key) => this.#ask("rate", { name, act: "count", key, ...options } satisfies RateQuestion, true) };
  }

  placeLimit(name: string, { max }: { max: number }): PlaceLimit {
    return new ChildPlaces(max, (act, key, own) => {
      const question: PlaceQuestion = { name, act, key, max, own };
      if (act === "take") return this.#ask("place", question, true);
      this.#line.tell("place", question);
      return true;
    });
  }

  turns(name: string): SharedTurns {
    return {
      book: (key, intervalMs) =>
        this.#line.ask<number>("turn", { name, key, intervalMs } satisfies TurnQuestion).catch(() => 0),
    };
  }

  async close(): Promise<void> {
    this.#line.tell("leave all places");
  }

  #ask(topic: string, question: object, without: boolean): Promise<boolean> {
    return this.#line.ask<boolean>(topic, question).catch(() => without);
  }
}

interface Taken {
  /** All that this process has. */
  count: number;
  /** Those that the parent knows of. */
  told: number;
  /** Questions under way. */
  asking: number;
}

/** The first place of a key is taken without the parent, so that a client with one request at a time costs no message. */
class ChildPlaces implements PlaceLimit {
  readonly max: number;
  readonly #tell: (act: "take" | "leave", key: string, own: number) => boolean | Promise<boolean>;
  readonly #taken = new Map<string, Taken>();

  constructor(max: number, tell: (act: "take" | "leave", key: string, own: number) => boolean | Promise<boolean>) {
    this.max = max;
    this.#tell = tell;
  }

  take(key: string): boolean | Promise<boolean> {
    const taken = entry(this.#taken, key, () => ({ count: 0, told: 0, asking: 0 }));
    if (taken.count > 0) return this.#takeMore(key, taken);
    taken.count++;
    return true;
  }

  leave(key: string): void {
    const taken = this.#taken.get(key);
    if (!taken || taken.count === 0) return;
    taken.count--;
    if (taken.told > taken.count) {
      taken.told--;
      void this.#tell("leave", key, 0);
    }
    this.#tidy(key, taken);
  }

  async #takeMore(key: string, taken: Taken): Promise<boolean> {
    const own = taken.count - taken.told;
    taken.told = taken.count;
    taken.asking++;
    const isTaken = await this.#tell("take", key, own);
    taken.asking--;
    if (isTaken) {
      taken.count++;
      taken.told++;
    }
    this.#tidy(key, taken);
    return isTaken;
  }

  #tidy(key: string, { count, asking }: Taken): void {
    if (count === 0 && asking === 0) this.#taken.delete(key);
  }
}

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
