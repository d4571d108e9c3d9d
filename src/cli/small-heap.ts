import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Buffers of a usual load besides cached bodies. */
const usualBufferOctets = 26_000_000;
/**
 * How much heap and buffers, besides cached bodies and garbage included, may be in use before a collection. While there are
 * more buffers than usual, a flood may be on its way: then it comes earlier.
 */
const maxUseOctets = 100_000_000;
const maxFloodedUseOctets = 70_000_000;
/** How much the use may grow after a collection before the next one; in a flood, less. */
const maxGrowthOctets = 36_000_000;
const maxFloodedGrowthOctets = 14_000_000;
/** How often the use is read. */
const intervalMs = 20;
/**
 * By how much the heap grows between V8's own collections. Its default is up to 300, but next to nothing for minutes after a
 * collection that was asked for (measured: an upload took 1.8 times the CPU).
 */
const heapGrowthPercent = 50;

/** Of both halves of the young generation. V8 would let them grow to 64 MB, and they stay resident. */
const maxYoungOctets = 32_000_000;

/**
 * Keeps the young generation from growing once it is this large; the option for that is read before a program can set it. Call
 * it before much is loaded.
 */
export function keepYoungSmall(): void {
  let isGrowing = true;
  const look = () => {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
    const mayGrow = (young?.space_size ?? 0) < maxYoungOctets;
    if (mayGrow !== isGrowing) setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`);
    isGrowing = mayGrow;
  };
  setInterval(look, intervalMs).unref();
}

/**
 * Collects garbage earlier than V8 would while requests are large or come in floods: the buffers of sockets may grow to
 * several times what is alive before V8 acts, and the process never returns that memory. A usual load stays below the
 * thresholds, to which cached bodies are added: a collection takes as long as a hundred small requests. Returns what ends it.
 */
export function keepHeapSmall(cachedBytes: () => number): () => Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`);
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  let alive = 0;
  const look = () => {
    const { total, buffers } = inUse();
    const cached = cachedBytes();
    const isUsual = buffers < usualBufferOctets + cached;
    const max = isUsual ? maxUseOctets : maxFloodedUseOctets;
    const maxGrowth = isUsual ? maxGrowthOctets : maxFloodedGrowthOctets;
    if (total < Math.max(max + cached, alive + maxGrowth)) return;
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
