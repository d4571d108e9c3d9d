import type { Log } from "../base/log.ts";

/** Resolves with what is wrong, in words that anybody may read; undefined when all is well. */
export type Check = () => Promise<string | undefined>;

export interface Report {
  isReady: boolean;
  /** The body of /readyz: what is wrong with which part, as JSON. */
  text: string;
}

/** How long, in ms, a check may take. */
const patience = 700;
/** How long, in ms, a report is good. */
const fresh = 1_000;
/** How long, in ms, a check that hangs is left alone before another one is begun, where it may be. */
const hung = 10_000;

/** Whether the server could do its work now. Answers in time whatever hangs, and asks little however often it is asked. */
export class Readiness {
  readonly #checks: [name: string, check: Check][];
  readonly #log: Log;
  readonly #renewed: ReadonlySet<string>;
  readonly #running = new Map<string, { since: number; outcome: Promise<string | undefined> }>();
  #last: { at: number; report: Promise<Report> } | undefined;
  #told = "";

  /**
   * `renewed`: the checks that are begun again beside one that hangs. Those that read or write files must not be: each
   * holds one of the few threads that all file access shares.
   */
  constructor(checks: Record<string, Check>, log: Log, renewed: readonly string[] = []) {
    this.#checks = Object.entries(checks);
    this.#log = log;
    this.#renewed = new Set(renewed);
  }

  report(): Promise<Report> {
    const now = performance.now();
    if (!this.#last || now - this.#last.at > fresh) this.#last = { at: now, report: this.#look() };
    return this.#last.report;
  }

  async #look(): Promise<Report> {
    const outcomes = await Promise.all(
      this.#checks.map(async ([name, check]) => [name, (await this.#inTime(name, check)) ?? "ok"] as const),
    );
    const parts = Object.fromEntries(outcomes);
    const isReady = outcomes.every(([, outcome]) => outcome === "ok");
    this.#tell(isReady, parts);
    return { isReady, text: isReady ? "ready\n" : `${JSON.stringify({ ready: false, ...parts })}\n` };
  }

  async #inTime(name: string, check: Check): Promise<string | undefined> {
    const { promise: late, resolve } = Promise.withResolvers<string>();
    const timer = setTimeout(resolve, patience, "gives no answer");
    try {
      return await Promise.race([this.#run(name, check), late]);
    } catch (error) {
      this.#log.debug({ part: name, reason: (error as Error).message }, "a check failed");
      return "fails";
    } finally {
      clearTimeout(timer);
    }
  }

  #run(name: string, check: Check): Promise<string | undefined> {
    const now = performance.now();
    const running = this.#running.get(name);
    if (running && (now - running.since < hung || !this.#renewed.has(name))) return running.outcome;
    const outcome = check();
    this.#running.set(name, { since: now, outcome });
    const done = () => {
      if (this.#running.get(name)?.outcome === outcome) this.#running.delete(name);
    };
    outcome.then(done, done);
    return outcome;
  }

  /** Once a change. */
  #tell(isReady: boolean, parts: Record<string, string>): void {
    const told = isReady ? "" : JSON.stringify(parts);
    if (told === this.#told) return;
    this.#told = told;
    if (isReady) this.#log.info({}, "ready again");
    else this.#log.warn(parts, "not ready");
  }
}
