import { parentPort } from "node:worker_threads";
import type { LookUp } from "./look-up.ts";
import { type Sender, verify } from "./verify.ts";

/** Runs in a worker thread: one message in, its verdict out. Names are looked up by who asked. */
export type ToWorker =
  | { kind: "message"; message: Uint8Array; from: string[]; sender: Sender; hostname: string }
  | { kind: "found"; id: number; records?: unknown; error?: { message: string; code: string | undefined } };
export type FromWorker =
  | { kind: "lookUp"; id: number; name: string; type: string }
  | { kind: "verified"; verified: Awaited<ReturnType<typeof verify>> }
  | { kind: "failed"; message: string };

const waiting = new Map<number, { resolve: (records: unknown) => void; reject: (error: Error) => void }>();
let count = 0;
const say = (answer: FromWorker) => parentPort!.postMessage(answer);

const lookUp: LookUp = (name, type) =>
  new Promise((resolve, reject) => {
    const id = ++count;
    waiting.set(id, { resolve, reject });
    say({ kind: "lookUp", id, name, type });
  });

parentPort!.on("message", (told: ToWorker) => {
  if (told.kind === "found") {
    const { resolve, reject } = waiting.get(told.id)!;
    waiting.delete(told.id);
    if (told.error) reject(Object.assign(new Error(told.error.message), { code: told.error.code }));
    else resolve(told.records);
    return;
  }
  const { message, from, sender, hostname } = told;
  verify({ message: Buffer.from(message.buffer), from }, sender, { hostname, lookUp }).then(
    (verified) => say({ kind: "verified", verified }),
    (error: unknown) => say({ kind: "failed", message: error instanceof Error ? error.message : String(error) }),
  );
});
