import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Heap and buffers of a usual load besides cached bodies, garbage included, in octets; an idle server has a third of it. */
const usualOctets = 112_000_000;
/** How often the use is read. */
const intervalMs = 50;

/**
 * Collects garbage earlier than V8 would while requests are large or come in floods: the buffers of sockets may grow to
 * several times what is alive before V8 acts, and the process never returns that memory. A usual load stays below the
 * threshold and costs nothing. That matters beyond the collection itself: after one, V8 collects often for minutes
 * (measured: uploads took twice the CPU). `cacheBytes`: how large the cache of bodies may become.
 */
export function keepHeapSmall(cacheBytes: number): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const leastOctets = usualOctets + cacheBytes;
  let maxInUse = leastOctets;
  const look = () => {
    if (inUse() < maxInUse) return;
    collect();
    maxInUse = Math.max(leastOctets, 1.5 * inUse());
  };
  setInterval(look, intervalMs).unref();
}

function inUse(): number {
  const { used_heap_size: heap, external_memory: buffers } = getHeapStatistics();
  return heap + buffers;
}
