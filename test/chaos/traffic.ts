import { act } from "./acts.ts";
import { mailIn } from "./mail-in.ts";
import type { World } from "./world.ts";

export const rates = { mailsPerSecond: 10, callsPerSecond: 20 };

/** What is under way at once, at most: beyond, users would wait before they ask again. */
const maxUnderWay = 200;

/** Mail and calls at a steady rate, whatever becomes of those before: those who send and ask know nothing of one another. */
export class Traffic {
  readonly #world: World;
  readonly #underWay = new Set<Promise<void>>();
  readonly #timers: NodeJS.Timeout[] = [];
  /** Left out, since too much was under way. */
  skipped = 0;

  constructor(world: World) {
    this.#world = world;
  }

  start(): void {
    const repeat = (perSecond: number, work: () => Promise<void>) =>
      this.#timers.push(setInterval(() => this.#begin(work), 1_000 / perSecond));
    repeat(rates.mailsPerSecond, () => mailIn(this.#world));
    repeat(rates.callsPerSecond, () => act(this.#world));
  }

  /** Resolves when all that is under way has ended. */
  async stop(): Promise<void> {
    this.close();
    await Promise.all(this.#underWay);
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #begin(work: () => Promise<void>): void {
    if (this.#underWay.size >= maxUnderWay) {
      this.skipped++;
      return;
    }
    const done = work().finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }
}
