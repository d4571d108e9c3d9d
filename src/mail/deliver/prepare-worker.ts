import { parentPort } from "node:worker_threads";
import { bodyValue } from "../../mime/decode.ts";
import { prepareMessage } from "./prepare.ts";
import type { Task } from "./preparer.ts";

/** Runs in a worker thread: bytes in, what is made of them out. */
parentPort?.on("message", ({ id, task: { bytes, body } }: { id: number; task: Task }) => {
  try {
    const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const result = body ? bodyValue(message, body.part, body.maxBytes) : prepareMessage(message);
    parentPort?.postMessage({ id, result });
  } catch (error) {
    parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
