import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Ending } from "../../base/ending.ts";
import type { Log } from "../../base/log.ts";
import { pauseFor } from "../../base/retry.ts";
import type { MetricValues } from "../../ops/metrics.ts";
import { Failure } from "../fail.ts";
import { Line, type Port } from "./line.ts";

/** How a child is started, and what serves it. */
export interface Upbringing {
  /** The module to run, and its arguments. */
  program: string;
  args: readonly string[];
  count: number;
  log: Log;
  /** Answers the child's questions. */
  attend(line: Line, number: number): void;
  /** The child serves. Returns a function that gives it nothing new any more. */
  employ(line: Line): () => void;
  /** The last that is known of the metrics of a child that has ended. */
  bury(metrics: MetricValues): void;
  /** How often a child is asked whether its event loop still runs. (Default: 5 000) */
  pingEveryMs?: number;
}

/** A child that does not serve after this time has failed to start. */
const maxStartMs = 120_000;
const pingEveryMs = 5_000;
/** A child that leaves so many questions in a row unanswered hangs. Counted, since time passes while this process is stopped. */
const maxUnanswered = 6;
/** A child that lived for so long is replaced at once; each that did not doubles a pause. */
const minLifeMs = 10_000;
const firstPauseMs = 500;
const maxPauseMs = 30_000;
/** In a restart the next child is replaced after this time even if the one before has not ended. */
const maxHandOverMs = 30_000;
/** What a child that was already ending is given when all have to stop. */
const maxLateMs = 15_000;
const maxMetricsMs = 1_000;

/** The children of a server: starts as many as there are to be, replaces those that die, and all in turn on demand. */
export class Children {
  readonly #upbringing: Upbringing;
  readonly #living = new Set<Child>();
  /** The child of each number that serves. */
  readonly #serving = new Map<number, Child>();
  /** How many in a row died soon, by number. */
  readonly #deaths = new Map<number, number>();
  readonly #stopping = new AbortController();
  #restarting: Promise<void> | undefined;

  constructor(upbringing: Upbringing) {
    this.#upbringing = upbringing;
    process.on("exit", this.#killAll);
  }

  get serving(): number {
    return this.#serving.size;
  }

  /** Starts all. Throws Failure with the reason of the first that could not start. */
  async start(): Promise<void> {
    const numbers = Array.from({ length: this.#upbringing.count }, (_, index) => index + 1);
    await Promise.all(numbers.map((number) => this.#launch(number)));
  }

  /** Replaces the children one by one: the next one serves before the last one ends. Gives up when one does not start. */
  restart(): Promise<void> {
    this.#restarting ??= this.#replaceAll().finally(() => {
      this.#restarting = undefined;
    });
    return this.#restarting;
  }

  async stop(ending: Ending): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#living].map((child) => child.stop(ending)));
    await this.#restarting;
    process.off("exit", this.#killAll);
  }

  metrics(): Promise<MetricValues[]> {
    return Promise.all([...this.#living].map((child) => child.currentMetrics()));
  }

  readonly #killAll = () => {
    for (const { process } of this.#living) process.kill("SIGKILL");
  };

  async #launch(number: number): Promise<Child> {
    const { log } = this.#upbringing;
    const child = new Child(number, this.#upbringing);
    this.#living.add(child);
    child.ended.then(() => {
      this.#living.delete(child);
      this.#upbringing.bury(child.lastMetrics);
    });
    await child.served;
    const before = this.#serving.get(number);
    this.#serving.set(number, child);
    log.info({ process: number, pid: child.process.pid }, "a process serves");
    child.ended.then(() => this.#missed(child));
    before?.end("restart");
    if (this.#stopping.signal.aborted) child.end("stop");
    return child;
  }

  /** Replaces a child that ended though nobody told it to. */
  #missed(child: Child): void {
    const { number, isEnding } = child;
    if (this.#serving.get(number) === child) this.#serving.delete(number);
    if (isEnding) return;
    const deaths = performance.now() - child.servedAt < minLifeMs ? (this.#deaths.get(number) ?? 0) + 1 : 0;
    this.#deaths.set(number, deaths);
    const pauseMs = deaths === 0 ? 0 : pauseAfter(deaths);
    const { exitCode, signalCode: signal, pid } = child.process;
    this.#upbringing.log.error({ process: number, pid, exitCode, signal, pauseMs }, "a process died; replacing it");
    void this.#replace(number, pauseMs);
  }

  async #replace(number: number, pauseMs: number): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 1; ; failures++) {
      await pauseFor(pauseMs, signal);
      if (signal.aborted || this.#serving.has(number)) return;
      try {
        await this.#launch(number);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#upbringing.log.error({ process: number, reason: (error as Error).message }, "a process did not start");
        pauseMs = pauseAfter(failures);
      }
    }
  }

  async #replaceAll(): Promise<void> {
    const { log } = this.#upbringing;
    const { signal } = this.#stopping;
    const begun = performance.now();
    log.info({ processes: this.#upbringing.count }, "restarting the processes one by one");
    for (let number = 1; number <= this.#upbringing.count; number++) {
      if (signal.aborted) return;
      const before = this.#serving.get(number);
      try {
        await this.#launch(number);
      } catch (error) {
        const { message: reason } = error as Error;
        if (!signal.aborted)
          log.error({ process: number, reason }, "the restart was given up: a process did not start");
        return;
      }
      const patience = new AbortController();
      await Promise.race([before?.ended, pauseFor(maxHandOverMs, AbortSignal.any([signal, patience.signal]))]);
      patience.abort();
    }
    log.info({ milliseconds: Math.round(performance.now() - begun) }, "all processes are restarted");
  }
}

const pauseAfter = (failures: number) => Math.min(firstPauseMs * 2 ** (failures - 1), maxPauseMs);

class Child {
  readonly number: number;
  readonly process: ChildProcess;
  servedAt = 0;
  /** Rejects with Failure if the child ends before it serves. */
  readonly served: Promise<void>;
  readonly ended: Promise<unknown>;
  isEnding = false;
  lastMetrics: MetricValues = [];
  readonly #line: Line;
  #dismiss: (() => void) | undefined;

  constructor(number: number, upbringing: Upbringing) {
    const { program, args, attend, employ } = upbringing;
    this.number = number;
    this.process = fork(program, ["child", ...args], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
    });
    this.#line = new Line(this.process as Port);
    attend(this.#line, number);
    this.#line.hear("last metrics", (metrics: MetricValues) => {
      this.lastMetrics = metrics;
    });
    this.ended = once(this.process, "exit");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.served = promise;
    this.#line.hear("serving", () => {
      this.servedAt = performance.now();
      this.#dismiss = employ(this.#line);
      this.#watch(upbringing);
      resolve();
    });
    let failure: string | undefined;
    this.#line.hear("failed", (message: string) => {
      failure = message;
    });
    const timer = setTimeout(() => this.process.kill("SIGKILL"), maxStartMs);
    this.ended.then(() => {
      const { exitCode, signalCode } = this.process;
      reject(new Failure(failure ?? `process ${number} ended with ${exitCode ?? signalCode} before it served`));
    });
    promise.catch(() => {}).finally(() => clearTimeout(timer));
  }

  /** Kills it when it hangs: its connections end, and another one is started unless it was ending. */
  #watch({ log, pingEveryMs: everyMs = pingEveryMs }: Upbringing): void {
    let unanswered = 0;
    const timer = setInterval(() => {
      if (unanswered === maxUnanswered) {
        const { number, process } = this;
        log.error({ process: number, pid: process.pid, silentMs: unanswered * everyMs }, "a process hangs; killing it");
        clearInterval(timer);
        process.kill("SIGKILL");
        return;
      }
      unanswered++;
      this.#line.ask("ping").then(
        () => {
          unanswered = 0;
        },
        () => {},
      );
    }, everyMs).unref();
    this.ended.then(() => clearInterval(timer));
  }

  /** Gives it nothing new, and lets it finish what is under way. One that does not serve yet is killed. */
  end(ending: Ending): void {
    this.isEnding = true;
    if (this.#dismiss) {
      this.#dismiss();
      this.#line.tell("end", ending);
    } else this.process.kill("SIGKILL");
  }

  async stop(ending: Ending): Promise<void> {
    const timer = this.isEnding ? setTimeout(() => this.process.kill("SIGKILL"), maxLateMs) : undefined;
    this.end(ending);
    await this.ended;
    clearTimeout(timer);
  }

  async currentMetrics(): Promise<MetricValues> {
    if (!this.#dismiss) return [];
    const { promise: late, resolve } = Promise.withResolvers<MetricValues>();
    const timer = setTimeout(() => resolve(this.lastMetrics), maxMetricsMs);
    const asked = this.#line.ask<MetricValues>("metrics").catch(() => this.lastMetrics);
    this.lastMetrics = await Promise.race([asked, late]);
    clearTimeout(timer);
    return this.lastMetrics;
  }
}
