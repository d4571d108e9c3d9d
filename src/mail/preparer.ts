import { Worker } from "node:worker_threads";
import { type PreparedMessage, prepareMessage } from "./prepare.ts";

/** A message over this many bytes would hold up the event loop: it goes to a worker thread. */
const maxInline = 1_000_000;

/** Node runs the source, and the build runs what it was compiled to. */
const workerFile = new URL(`./prepare-worker${import.meta.url.slice(-3)}`, import.meta.url);

interface Waiting {
  resolve: (prepared: PreparedMessage) => void;
  reject: (error: Error) => void;
}

let worker: Worker | undefined;
let count = 0;
const waiting = new Map<number, Waiting>();

/** `prepareMessage`, away from the event loop when the message is large. */
export function prepare(message: Buffer): Promise<PreparedMessage> {
  if (message.length <= maxInline) return Promise.resolve(prepareMessage(message));
  worker ??= start();
  const id = ++count;
  const copy = Uint8Array.from(message);
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker!.ref();
    worker!.postMessage({ id, message: copy }, [copy.buffer]);
  });
}

function start(): Worker {
  const started = new Worker(workerFile);
  started.unref();
  started.on("message", ({ id, prepared, error }: { id: number; prepared?: PreparedMessage; error?: string }) => {
    const job = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) started.unref();
    if (!prepared) return job?.reject(new Error(error ?? "no answer"));
    // A Buffer comes through as a plain Uint8Array.
    job?.resolve({ ...prepared, header: prepared.header && Buffer.from(prepared.header) });
  });
  started.on("error", (error) => fail(error instanceof Error ? error : new Error(String(error))));
  started.on("exit", () => fail(new Error("the worker thread ended")));
  return started;
}

function fail(error: Error): void {
  worker = undefined;
  for (const job of waiting.values()) job.reject(error);
  waiting.clear();
}
