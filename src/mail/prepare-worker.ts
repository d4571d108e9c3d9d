import { parentPort } from "node:worker_threads";
import { prepareMessage } from "./prepare.ts";

/** Runs in a worker thread: one message in, what is made of it out. */
parentPort?.on("message", ({ id, message }: { id: number; message: Uint8Array }) => {
  try {
    const prepared = prepareMessage(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
    parentPort?.postMessage({ id, prepared });
  } catch (error) {
    parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
