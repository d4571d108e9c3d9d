import type { Clock } from "../base/clock.ts";
import { type Events, silentEvents } from "../base/events.ts";
import type { Log } from "../base/log.ts";
import type { Database } from "../store/core/database.ts";
import { addTraffic, type Traffic } from "../store/queues/traffic.ts";

const writeEveryMs = 10_000;
const minuteMs = 60_000;
/** Further destinations of a minute are counted as one. */
const maxDestinations = 50;
export const otherDestinations = "*";

/** The upper bounds of what latencies are counted by, in milliseconds; slower ones are counted as "slow". */
export const latencyBounds = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000] as const;

/**
 * Counts what happens in this process by minute, for the operators' page, and adds it to what other processes counted, every few
 * seconds. While the database is away the counts wait, those of the last ten minutes.
 */
export class TrafficCounts {
  readonly #options: { database: Database; clock: Clock; log: Log };
  readonly #timer: NodeJS.Timeout;
  #counts = new Map<string, Traffic>();
  #destinations = { minute: 0, names: new Set<string>() };
  #writing = Promise.resolve();
  readonly events: Events;
  /** Called when further counts of mail are in the database. */
  onWritten: () => void = () => {};

  constructor(options: { database: Database; clock: Clock; log: Log }) {
    this.#options = options;
    this.#timer = setInterval(() => void this.write(), writeEveryMs).unref();
    this.events = {
      ...silentEvents,
      mailTaken: () => this.#count("in", "accepted"),
      mailNotStored: () => this.#count("in", "failed"),
      mailRefused: () => this.#count("in", "refused"),
      attemptEnded: ({ result, destination }) => this.#count("out", `${result} ${this.#destination(destination)}`),
      mailFiled: ({ isJunk }) => this.#count("filed", isJunk ? "junk" : "inbox"),
      virusFound: () => this.#count("filed", "virus"),
      feedbackCame: ({ kind }) => this.#count("feedback", kind),
      methodRan: ({ seconds }) => this.#count("api", bucketOf(seconds)),
      pushSent: ({ lagSeconds }) => {
        if (lagSeconds !== undefined) this.#count("push", bucketOf(lagSeconds));
      },
    };
  }

  /** Resolves when the counts so far are written, or wait for the next time. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }

  #now(): number {
    return Math.floor(this.#options.clock.now().getTime() / minuteMs) * minuteMs;
  }

  #count(kind: string, what: string, minute = new Date(this.#now()), more = 1): void {
    const key = `${minute.getTime()} ${kind} ${what}`;
    const known = this.#counts.get(key);
    if (known) known.count += more;
    else this.#counts.set(key, { minute, kind, what, count: more });
  }

  #destination(name: string): string {
    const minute = this.#now();
    if (this.#destinations.minute !== minute) this.#destinations = { minute, names: new Set() };
    const { names } = this.#destinations;
    if (!names.has(name) && names.size >= maxDestinations) return otherDestinations;
    names.add(name);
    return name;
  }

  async #write(): Promise<void> {
    const rows = [...this.#counts.values()];
    this.#counts = new Map();
    const { database, log } = this.#options;
    if (database.isReadOnly) return;
    try {
      await addTraffic(database, rows);
      // Those of the calls themselves are no news: pages would ask for ever.
      if (rows.some(({ kind }) => kind !== "api" && kind !== "push")) this.onWritten();
    } catch (error) {
      log.debug({ reason: (error as Error).message }, "counts of the traffic wait");
      const oldest = this.#now() - 10 * minuteMs;
      for (const { kind, what, minute, count } of rows)
        if (minute.getTime() >= oldest) this.#count(kind, what, minute, count);
    }
  }
}

function bucketOf(seconds: number): string {
  const bound = latencyBounds.find((one) => seconds * 1000 <= one);
  return bound === undefined ? "slow" : String(bound);
}
