import { Worker } from "node:worker_threads";
import { type BodyValue, bodyValue, type TextPart } from "../../mime/decode.ts";
import { type PreparedMessage, prepareMessage } from "./prepare.ts";

/** More bytes than these would hold up the event loop: they go to a worker thread. */
export const maxInline = 1_000_000;

/** Node runs the source, and the build runs what it was compiled to. */
const workerFile = new URL(`./prepare-worker${import.meta.url.slice(-3)}`, import.meta.url);

/** What the worker thread is asked: to prepare a message, or to decode the body of a part. */
export interface Task {
  bytes: Uint8Array;
  body?: { part: TextPart; maxBytes: number };
}

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

let worker: Worker | undefined;
let count = 0;
const waiting = new Map<number, Waiting>();

/** `prepareMessage`, away from the event loop when the message is large. */
export async function prepare(message: Buffer): Promise<PreparedMessage> {
  if (message.length <= maxInline) return prepareMessage(message);
  const prepared = (await ask({ bytes: message })) as PreparedMessage;
  // A Buffer comes through as a plain Uint8Array.
  return { ...prepared, header: prepared.header && Buffer.from(prepared.header) };
}

/** `bodyValue`, away from the event loop when the part is large. */
export async function decodeBody(raw: Buffer, part: TextPart, maxBytes: number): Promise<BodyValue> {
  if (raw.length <= maxInline) return bodyValue(raw, part, maxBytes);
  const { type, charset, encoding } = part;
  return (await ask({ bytes: raw, body: { part: { type, charset, encoding }, maxBytes } })) as BodyValue;
}

function ask(task: Task): Promise<unknown> {
  worker ??= start();
  const id = ++count;
  const bytes = Uint8Array.from(task.bytes);
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker!.ref();
    worker!.postMessage({ id, task: { ...task, bytes } }, [bytes.buffer]);
  });
}

function start(): Worker {
  const started = new Worker(workerFile);
  started.unref();
  started.on("message", ({ id, result, error }: { id: number; result?: unknown; error?: string }) => {
    const job = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) started.unref();
    if (result === undefined) job?.reject(new Error(error ?? "no answer"));
    else job?.resolve(result);
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
