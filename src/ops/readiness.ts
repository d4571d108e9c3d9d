import type { Log } from "../base/log.ts";

/**
 * What is wrong, in words that may be public; undefined if nothing is. `partly`: the server can do its work all the same,
 * if not for everybody.
 */
export type Finding = string | { partly: string } | undefined;
export type Check = () => Promise<Finding>;

export interface Report {
  isReady: boolean;
  /** The body of /readyz: "ready", or JSON that says what is wrong with each part. */
  text: string;
}

/** How long a check may take. */
const maxCheckMs = 700;
/** How long a report is reused. */
const maxReportAgeMs = 1_000;
/** How long a check may hang before it is started again beside the hanging one, if it is in `renewed`. */
const maxHangMs = 10_000;

/** Whether the server can do its work now. Answers in time even if a check hangs; runs the checks at most once a second. */
export class Readiness {
  readonly #checks: [name: string, check: Check][];
  readonly #log: Log;
  readonly #renewed: ReadonlySet<string>;
  readonly #optional: ReadonlySet<string>;
  readonly #running = new Map<string, { since: number; outcome: Promise<Finding> }>();
  #last: { at: number; report: Promise<Report> } | undefined;
  #told = "";

  /**
   * `renewed` names the checks that are started again when one hangs. Checks that read or write files must not be among
   * them, because each hanging one holds one of the few threads that all file access shares. Without the `optional` ones the
   * server is slower, but ready.
   */
  constructor(
    checks: Record<string, Check>,
    log: Log,
    { renewed = [], optional = [] }: { renewed?: readonly string[]; optional?: readonly string[] } = {},
  ) {
    this.#checks = Object.entries(checks);
    this.#log = log;
    this.#renewed = new Set(renewed);
    this.#optional = new Set(optional);
  }

  report(): Promise<Report> {
    const now = performance.now();
    if (!this.#last || now - this.#last.at > maxReportAgeMs) this.#last = { at: now, report: this.#look() };
    return this.#last.report;
  }

  async #look(): Promise<Report> {
    const outcomes = await Promise.all(
      this.#checks.map(async ([name, check]) => [name, (await this.#inTime(name, check)) ?? "ok"] as const),
    );
    const isReady = outcomes.every(
      ([name, outcome]) => outcome === "ok" || typeof outcome === "object" || this.#optional.has(name),
    );
    const parts = Object.fromEntries(
      outcomes.map(([name, outcome]) => [name, typeof outcome === "object" ? outcome.partly : outcome]),
    );
    const isWell = outcomes.every(([, outcome]) => outcome === "ok");
    const isForAll = outcomes.every(([, outcome]) => typeof outcome !== "object");
    this.#tell(isReady, isForAll, parts);
    return { isReady, text: isWell ? "ready\n" : `${JSON.stringify({ ready: isReady, ...parts })}\n` };
  }

  async #inTime(name: string, check: Check): Promise<Finding> {
    const { promise: late, resolve } = Promise.withResolvers<string>();
    const timer = setTimeout(resolve, maxCheckMs, "gives no answer");
    try {
      return await Promise.race([this.#run(name, check), late]);
    } catch (error) {
      this.#log.debug({ part: name, reason: (error as Error).message }, "a check failed");
      return "fails";
    } finally {
      clearTimeout(timer);
    }
  }

  #run(name: string, check: Check): Promise<Finding> {
    const now = performance.now();
    const running = this.#running.get(name);
    if (running && (now - running.since < maxHangMs || !this.#renewed.has(name))) return running.outcome;
    const outcome = check();
    this.#running.set(name, { since: now, outcome });
    const done = () => {
      if (this.#running.get(name)?.outcome === outcome) this.#running.delete(name);
    };
    outcome.then(done, done);
    return outcome;
  }

  /** Logs each change once. */
  #tell(isReady: boolean, isForAll: boolean, parts: Record<string, string>): void {
    const told = isReady && isForAll ? "" : JSON.stringify(parts);
    if (told === this.#told) return;
    this.#told = told;
    if (told === "") this.#log.info({}, "ready again");
    else this.#log.warn(parts, isReady ? "ready for some only" : "not ready");
  }
}
