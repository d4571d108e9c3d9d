import { parentPort } from "node:worker_threads";
import { type Claims, verify } from "./verify.ts";

export interface Job {
  message: Uint8Array;
  claims: Claims;
}
export interface Answer {
  lookUp: number;
  records?: string[] | string[][];
  code?: string;
}

const waiting = new Map<number, (answer: Answer) => void>();
let lookUps = 0;

/** DNS is asked where the resolver lives. */
function lookUp(name: string, type: string): Promise<string[] | string[][]> {
  const id = ++lookUps;
  return new Promise((resolve, reject) => {
    waiting.set(id, ({ records, code }) => {
      if (records) resolve(records);
      else reject(Object.assign(new Error(`${name}: ${code}`), { code }));
    });
    parentPort!.postMessage({ lookUp: id, name, type });
  });
}

/** Runs in a worker thread: one message at a time in, what it verified as out. */
parentPort?.on("message", async (told: Job | Answer) => {
  if ("lookUp" in told) {
    waiting.get(told.lookUp)?.(told);
    waiting.delete(told.lookUp);
    return;
  }
  try {
    const { buffer, byteOffset, byteLength } = told.message;
    parentPort!.postMessage({
      verified: await verify(Buffer.from(buffer, byteOffset, byteLength), told.claims, lookUp),
    });
  } catch (error) {
    parentPort!.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
});
