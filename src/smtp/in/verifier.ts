import { Worker } from "node:worker_threads";
import { Slots } from "../../base/slots.ts";
import type { Claims, LookUp, Verified } from "./verify.ts";
import type { Answer, Job } from "./verify-worker.ts";

type Told = { lookUp: number; name: string; type: string } | { verified: Verified } | { error: string };

/** Node runs the source, and the build runs what it was compiled to. */
const workerFile = new URL(`./verify-worker${import.meta.url.slice(-3)}`, import.meta.url);

/** Threads with nothing to do; loading the library anew for each message would cost more than most messages. */
const idle: Worker[] = [];
const threads = new Slots(3);

/**
 * `verify`, in a thread of its own: 30 MB of spaces in one line keep it busy for half a minute. Rejects when it takes
 * over `time` milliseconds, and the thread is gone then.
 */
export function verifyApart(message: Buffer, claims: Claims, lookUp: LookUp, time: number): Promise<Verified> {
  return threads.run(() => verifyInThread(message, claims, lookUp, time));
}

async function verifyInThread(message: Buffer, claims: Claims, lookUp: LookUp, time: number): Promise<Verified> {
  const worker = idle.pop() ?? start();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`a message took over ${time} ms to verify`)), time);
  });
  worker.ref();
  try {
    const verified = await Promise.race([ask(worker, { message: Uint8Array.from(message), claims }, lookUp), late]);
    idle.push(worker);
    return verified;
  } catch (error) {
    void worker.terminate();
    throw error;
  } finally {
    clearTimeout(timer);
    worker.removeAllListeners("message");
    worker.unref();
  }
}

function start(): Worker {
  const worker = new Worker(workerFile);
  // What breaks a thread ends it; `ask` hears of that by its "exit".
  worker.on("error", () => undefined);
  worker.on("exit", () => {
    if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1);
  });
  return worker;
}

async function ask(worker: Worker, job: Job, lookUp: LookUp): Promise<Verified> {
  let ended: (() => void) | undefined;
  try {
    return await new Promise((resolve, reject) => {
      ended = () => reject(new Error("the thread ended"));
      worker.once("exit", ended);
      worker.on("message", (told: Told) => {
        if ("lookUp" in told)
          void answer(told.lookUp, lookUp(told.name, told.type)).then((it) => worker.postMessage(it));
        else if ("error" in told) reject(new Error(told.error));
        else resolve(told.verified);
      });
      worker.postMessage(job, [job.message.buffer as ArrayBuffer]);
    });
  } finally {
    if (ended) worker.off("exit", ended);
  }
}

async function answer(lookUp: number, records: ReturnType<LookUp>): Promise<Answer> {
  try {
    return { lookUp, records: await records };
  } catch (error) {
    return { lookUp, code: (error as { code?: string }).code ?? "ESERVFAIL" };
  }
}
