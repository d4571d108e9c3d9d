import { Worker } from "node:worker_threads";
import type { Ask, FromThread, ToThread } from "./answer-tasks.ts";
import { Slots } from "./slots.ts";

/** For all kinds together, because the memory of their threads adds up. */
const maxThreads = 3;
/** One kind leaves a thread to the others, so that slow work of one kind does not delay them. */
const maxThreadsOfKind = maxThreads - 1;

/** V8 would let each thread have 48 MB of garbage before it looks. */
const resourceLimits = { maxYoungGenerationSizeMb: 8 };
/** A thread that does nothing still takes tens of megabytes. */
const maxIdleMs = 20_000;

const slots = new Slots(maxThreads);
const threads = new Set<Thread>();

/** The work exceeded its time limit, and its thread was terminated. */
export class TooSlow extends Error {}

interface Extra<Question> {
  /** The time limit. (Default: the kind's.) */
  timeMs?: number | undefined;
  /** Answers the questions that the thread asks during the task. */
  answer?: Ask<Question>;
}

/** One kind of work that would block the event loop. All kinds share the threads; tasks wait in order for a free one. */
export class ThreadKind<About, Result, Question = never> {
  readonly #file: URL;
  readonly #timeMs: number;
  readonly #slots = new Slots(maxThreadsOfKind);

  /** `file` calls `answerTasks`. `timeMs` is how long a task may take once a thread has it. */
  constructor(file: URL, timeMs: number) {
    this.#file = file;
    this.#timeMs = timeMs;
  }

  /** Throws TooSlow, or the error that the thread reported. */
  run(bytes: Buffer, about: About, { timeMs = this.#timeMs, answer }: Extra<Question> = {}): Promise<Result> {
    const task = { bytes, about, timeMs, answer: answer as Ask<unknown> };
    return this.#slots.run(() => slots.run(() => threadOf(this.#file).run(task))) as Promise<Result>;
  }
}

/** An idle thread of the file, or a new one; if there is no room, an idle thread of another file ends for it. */
function threadOf(file: URL): Thread {
  const idle = [...threads].filter((thread) => thread.isIdle);
  const fitting = idle.find((thread) => thread.file.href === file.href);
  if (fitting) return fitting;
  if (threads.size >= maxThreads) idle[0]!.end();
  return new Thread(file);
}

interface Task {
  bytes: Buffer;
  about: unknown;
  timeMs: number;
  answer: Ask<unknown>;
}

/** Does one task at a time. */
class Thread {
  readonly file: URL;
  isIdle = true;
  readonly #worker: Worker;
  #retiring: NodeJS.Timeout | undefined;
  #fail: (error: Error) => void = () => {};
  #hear: (told: FromThread) => void = () => {};

  constructor(file: URL) {
    this.file = file;
    this.#worker = new Worker(file, { resourceLimits });
    threads.add(this);
    const lost = (error: Error) => {
      threads.delete(this);
      this.#fail(error);
    };
    this.#worker.on("error", (error) => lost(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on("exit", () => lost(new Error("the thread ended")));
    this.#worker.on("message", (told: FromThread) => this.#hear(told));
  }

  end(): void {
    clearTimeout(this.#retiring);
    threads.delete(this);
    void this.#worker.terminate();
  }

  async run({ bytes, about, timeMs, answer }: Task): Promise<unknown> {
    this.isIdle = false;
    clearTimeout(this.#retiring);
    this.#worker.ref();
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        timer = setTimeout(() => {
          this.end();
          reject(new TooSlow(`it took over ${timeMs} ms`));
        }, timeMs);
        this.#fail = reject;
        this.#hear = (told) => {
          if (told.kind === "question") void this.#answer(told.id, () => answer(told.question));
          else if (told.kind === "failed") reject(new Error(told.message));
          else resolve(told.result);
        };
        // A Buffer may be a view of a shared pool, which must not be transferred.
        const copy = new Uint8Array(bytes);
        this.#tell({ kind: "task", bytes: copy, about }, [copy.buffer]);
      });
    } finally {
      clearTimeout(timer);
      this.#fail = () => {};
      this.#hear = () => {};
      this.#worker.unref();
      this.isIdle = true;
      this.#retiring = setTimeout(() => this.end(), maxIdleMs).unref();
    }
  }

  async #answer(id: number, find: () => Promise<unknown>): Promise<void> {
    try {
      this.#tell({ kind: "answer", id, answer: await find() });
    } catch (error) {
      const { message, code } = error as Error & { code?: string };
      this.#tell({ kind: "answer", id, error: { message, code } });
    }
  }

  #tell(what: ToThread, transferred: ArrayBuffer[] = []): void {
    this.#worker.postMessage(what, transferred);
  }
}
