import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

export type DiskRate = { one: number; eight: number };
type Task = { file: string; ms: number };

function appendDurably({ file, ms }: Task): number {
  const page = Buffer.alloc(8192, 1);
  const fd = openSync(file, "w");
  let count = 0;
  const start = performance.now();
  while (performance.now() - start < ms) {
    writeSync(fd, page);
    fdatasyncSync(fd);
    count++;
  }
  const perSecond = (count * 1000) / (performance.now() - start);
  closeSync(fd);
  rmSync(file);
  return perSecond;
}

/** Durable writes per second with this many writers: each appends 8 KB to its own file and calls fdatasync. */
async function rate(folder: string, writers: number, ms: number): Promise<number> {
  // Own threads, since Node's pool has only four.
  const rates = await Promise.all(
    Array.from({ length: writers }, (_, n) => {
      const worker = new Worker(fileURLToPath(import.meta.url), {
        workerData: { file: join(folder, `disk-${n}`), ms },
      });
      return new Promise<number>((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      });
    }),
  );
  return rates.reduce((sum, one) => sum + one, 0);
}

export async function diskRate(folder: string, ms = 600): Promise<DiskRate> {
  return { one: await rate(folder, 1, ms), eight: await rate(folder, 8, ms) };
}

if (!isMainThread && parentPort && (workerData as Partial<Task> | null)?.file) {
  parentPort.postMessage(appendDurably(workerData as Task));
}
