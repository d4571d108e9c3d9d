import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Heap and buffers of a usual load, garbage included, in octets; an idle server has a third of it. */
const usual = 112_000_000;
/** How often the use is read. */
const intervalMs = 50;

/**
 * Collects garbage earlier than V8 would while requests are large or come in floods: the buffers of sockets may grow to
 * several times what is alive before V8 acts, and the process never returns that memory. A usual load stays below `usual`
 * and costs nothing.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  let maxInUse = usual;
  const look = () => {
    if (inUse() < maxInUse) return;
    collect();
    maxInUse = Math.max(usual, 1.5 * inUse());
  };
  setInterval(look, intervalMs).unref();
}

function inUse(): number {
  const { used_heap_size: heap, external_memory: buffers } = getHeapStatistics();
  return heap + buffers;
}
