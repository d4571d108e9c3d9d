import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Buffers of a usual load besides cached bodies. With no more of them, V8 itself keeps the heap in bounds. */
const usualBufferOctets = 32_000_000;
/** Heap and buffers of a usual load besides cached bodies, garbage included; an idle server has a third of it. */
const usualOctets = 96_000_000;
/** How much the use may grow after a collection before the next one. */
const maxGrowthOctets = 36_000_000;
/** How often the use is read. */
const intervalMs = 20;

/**
 * Collects garbage earlier than V8 would while requests are large or come in floods: the buffers of sockets may grow to
 * several times what is alive before V8 acts, and the process never returns that memory. A usual load stays below the
 * thresholds, to which cached bodies are added, and costs nothing. That matters beyond the collection itself: after one, V8
 * collects often for minutes (measured: uploads took twice the CPU). Returns what ends it.
 */
export function keepHeapSmall(cachedBytes: () => number): () => Promise<void> {
  setFlagsFromString("--expose-gc");
  setFlagsFromString("--heap-growing-percent=60");
  const collect = runInNewContext("gc") as () => void;
  let alive = 0;
  const look = () => {
    const { total, buffers } = inUse();
    const cached = cachedBytes();
    if (buffers < usualBufferOctets + cached || total < Math.max(usualOctets + cached, alive + maxGrowthOctets)) return;
    collect();
    alive = inUse().total;
  };
  const timer = setInterval(look, intervalMs).unref();
  return async () => clearInterval(timer);
}

function inUse(): { total: number; buffers: number } {
  const { used_heap_size: heap, external_memory: buffers } = getHeapStatistics();
  return { total: heap + buffers, buffers };
}
