import { Worker } from "node:worker_threads";
import { Slots } from "../../base/slots.ts";
import { headerEnd } from "../../mime/walk.ts";
import type { LookUp } from "./look-up.ts";
import type { Sender, ToVerify, Verified } from "./verify.ts";
import type { FromWorker, ToWorker } from "./verify-worker.ts";

/** Node runs the source, and the build runs what it was compiled to. */
const workerFile = new URL(`./verify-worker${import.meta.url.slice(-3)}`, import.meta.url);

/** A message that costs more would hold up the event loop: it goes to a thread. A header costs the most. */
const mostInline = 100_000;
const headerCost = 10;
const threads = new Slots(2);
const idle: Thread[] = [];
/** In ms: well over what DNS may take, and what a large message does. */
const longest = 25_000;

interface Means {
  hostname: string;
  lookUp: LookUp;
  /** In ms, for a thread. (Default: 25 s.) */
  time?: number;
}

/** Judging this message took too long. */
export class TooSlow extends Error {}

/** `verify`, away from the event loop where that takes long. Throws TooSlow. */
export async function verifyAside(given: ToVerify, sender: Sender, means: Means): Promise<Verified> {
  const { message, from } = given;
  const header = headerEnd(message) + from.reduce((sum, value) => sum + value.length, 0);
  if (message.length + headerCost * header <= mostInline) {
    const { verify } = await import("./verify.ts");
    return verify(given, sender, means);
  }
  return threads.run(async () => {
    const thread = idle.pop() ?? new Thread();
    const verified = await thread.verify(given, sender, means);
    if (thread.isAlive) idle.push(thread);
    return verified;
  });
}

/** Judges one message at a time, and is ended when one takes too long. */
class Thread {
  isAlive = true;
  readonly #worker = new Worker(workerFile);
  #fail: (error: Error) => void = () => {};
  #hear: (told: FromWorker) => void = () => {};

  constructor() {
    this.#worker.on("error", (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on("exit", () => {
      this.isAlive = false;
      const at = idle.indexOf(this);
      if (at >= 0) idle.splice(at, 1);
      this.#fail(new Error("the thread ended"));
    });
    this.#worker.on("message", (told: FromWorker) => this.#hear(told));
  }

  async verify(
    { message, from }: ToVerify,
    sender: Sender,
    { hostname, lookUp, time = longest }: Means,
  ): Promise<Verified> {
    let timer: NodeJS.Timeout | undefined;
    this.#worker.ref();
    try {
      return await new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(new TooSlow(`it took over ${time} ms`)), time);
        this.#fail = reject;
        this.#hear = (told) => {
          if (told.kind === "lookUp") void this.#lookUp(told, lookUp);
          else if (told.kind === "failed") reject(new Error(told.message));
          else resolve(told.verified);
        };
        const copy = new Uint8Array(message);
        this.#tell({ kind: "message", message: copy, from, sender, hostname }, [copy.buffer]);
      });
    } catch (error) {
      this.isAlive = false;
      void this.#worker.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
      this.#fail = () => {};
      this.#hear = () => {};
      this.#worker.unref();
    }
  }

  async #lookUp({ id, name, type }: FromWorker & { kind: "lookUp" }, lookUp: LookUp): Promise<void> {
    try {
      this.#tell({ kind: "found", id, records: await lookUp(name, type) });
    } catch (error) {
      const { message, code } = error as Error & { code?: string };
      this.#tell({ kind: "found", id, error: { message, code } });
    }
  }

  #tell(what: ToWorker, transferred: ArrayBuffer[] = []): void {
    this.#worker.postMessage(what, transferred);
  }
}
