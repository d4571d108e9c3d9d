import type { Clock, Random } from "../../base/clock.ts";
import type { Answer } from "./reply.ts";

/** What limits a destination, for its mails and for its operators. */
export interface PaceLimits {
  /** Transactions at once. */
  maxAtOnce: number;
}

const firstIntervalMs = 500;
const maxIntervalMs = 30_000;
/** An interval below this is none. */
const minIntervalMs = 50;
/** So many mails in a row must be taken before it is given a little more. */
const easedAfter = 10;
const firstPauseMs = 60_000;
const maxPauseMs = 30 * 60_000;

/**
 * How fast mail may go to one destination. It slows down when the servers ask for that, and goes faster again step by step.
 * While no server can be reached, one mail at a time tries.
 */
export class Pace {
  readonly #max: number;
  readonly #clock: Clock;
  readonly #random: Random;
  #atOnce: number;
  #intervalMs = 0;
  /** The next mail begins no sooner. */
  #nextAt = 0;
  #slowedAt = 0;
  #taken = 0;
  #failures = 0;
  #unreachable: { until: number; failedAt: number; answer: Answer; since: number } | undefined;
  /** One mail tries whether a server can be reached again. */
  #probe: PromiseWithResolvers<void> | undefined;

  constructor({ maxAtOnce }: PaceLimits, { clock, random }: { clock: Clock; random: Random }) {
    this.#max = maxAtOnce;
    this.#atOnce = maxAtOnce;
    this.#clock = clock;
    this.#random = random;
  }

  get atOnce(): number {
    return this.#atOnce;
  }

  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** Whether it must be remembered although nobody waits. */
  get isUsual(): boolean {
    return this.#atOnce === this.#max && this.#intervalMs === 0 && this.#unreachable === undefined;
  }

  /** Books the beginning of the next mail; returns in how many milliseconds it is. */
  book(): number {
    const now = this.#now();
    const wait = Math.max(0, this.#nextAt - now);
    if (this.#intervalMs > 0) this.#nextAt = Math.max(now, this.#nextAt) + this.#spread(this.#intervalMs);
    return wait;
  }

  /**
   * The answer for a mail that isn't tried, since no server could be reached a short time ago. When it is time to try again,
   * one mail does, and the others wait for what becomes of it. `urgedAt`: when somebody asked for an attempt at once, for which
   * it is time then, unless one has failed since. A mail that is tried must end with `ended` or `dropped`.
   */
  async notTried(urgedAt?: Date | undefined): Promise<{ answer: Answer; since: Date } | undefined> {
    for (let known = this.#unreachable; known; known = this.#unreachable) {
      if (urgedAt && urgedAt.getTime() > known.failedAt) known.until = Math.min(known.until, this.#now());
      if (this.#now() < known.until) return { answer: known.answer, since: new Date(known.since) };
      if (!this.#probe) {
        this.#probe = Promise.withResolvers();
        return undefined;
      }
      await this.#probe.promise;
    }
    return undefined;
  }

  /** A mail has ended. `begunAt`: when, in the clock's milliseconds. */
  ended(answers: readonly Answer[], { begunAt, isUnreachable }: { begunAt: number; isUnreachable: boolean }): void {
    const isProbe = begunAt >= (this.#unreachable?.until ?? 0);
    this.#judge(answers, begunAt, isUnreachable);
    if (isProbe) this.dropped();
  }

  #judge(answers: readonly Answer[], begunAt: number, isUnreachable: boolean): void {
    const now = this.#now();
    if (isUnreachable) {
      // Those that were under way when the first failed tell nothing new.
      if (this.#unreachable && begunAt < this.#unreachable.until) return;
      const pause = Math.min(firstPauseMs * 2 ** this.#failures++, maxPauseMs);
      const since = this.#unreachable?.since ?? now;
      this.#unreachable = { until: now + this.#spread(pause), failedAt: now, answer: answers[0]!, since };
      return;
    }
    this.#unreachable = undefined;
    this.#failures = 0;
    if (answers.some(asksForLess)) this.#slow(begunAt);
    else if (answers.some(({ kind }) => kind === "relayed")) this.#ease();
  }

  #ease(): void {
    if (this.isUsual || ++this.#taken < easedAfter) return;
    this.#taken = 0;
    if (this.#intervalMs > 0) this.#intervalMs = this.#intervalMs / 2 < minIntervalMs ? 0 : this.#intervalMs / 2;
    else if (this.#atOnce < this.#max) this.#atOnce++;
  }

  /** A mail has ended without being tried. */
  dropped(): void {
    this.#probe?.resolve();
    this.#probe = undefined;
  }

  #slow(begunAt: number): void {
    this.#taken = 0;
    // Several that began together are told the same.
    if (begunAt < this.#slowedAt) return;
    this.#slowedAt = this.#now();
    this.#atOnce = Math.max(1, Math.floor(this.#atOnce / 2));
    this.#intervalMs = Math.min(Math.max(this.#intervalMs * 2, firstIntervalMs), maxIntervalMs);
    this.#nextAt = this.#slowedAt + this.#spread(this.#intervalMs);
  }

  #now(): number {
    return this.#clock.now().getTime();
  }

  /** Up to a quarter more or less, so that processes do not keep in step. */
  #spread(milliseconds: number): number {
    return milliseconds * (0.75 + this.#random(4).readUInt32BE(0) / 2 ** 33);
  }
}

/** RFC 3463 §3.8: 4.7.5 is about TLS, as when a certificate is not the one that is asked for. */
const limits = /^(421 |45[01] 4\.7\.(?!5\b))/;
/** Greylisting defers a sender and a recipient, not us. */
const isGreylisting = /gr[ea]y-?\s?list/i;

/** A reply that asks for fewer messages or connections. */
function asksForLess({ smtpReply, remote }: Answer): boolean {
  return remote !== undefined && limits.test(smtpReply) && !isGreylisting.test(smtpReply);
}
