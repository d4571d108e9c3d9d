import { LRUCache } from "lru-cache";

/** Caches recent bodies by `<day>/<SHA-256 in hex>`. It may evict anything at any time. */
export interface BodyCache {
  /** Larger bodies are not kept. */
  readonly maxBodyBytes: number;
  get(key: string): Promise<Buffer | undefined>;
  set(key: string, bytes: Buffer): void;
}

/** Larger bodies are not cached. */
export const maxCachedBytes = 1024 * 1024;

export interface MemoryCache extends BodyCache {
  /** How much it holds. */
  readonly bytes: number;
}

/** Keeps bodies in this process's memory and evicts the least recently used. */
export function createMemoryCache(maxBytes: number): MemoryCache {
  if (maxBytes <= 0) return { maxBodyBytes: 0, get: async () => undefined, set: () => {}, bytes: 0 };
  const maxBodyBytes = Math.min(maxCachedBytes, maxBytes);
  const bodies = new LRUCache<string, Buffer>({
    maxSize: maxBytes,
    maxEntrySize: maxBodyBytes,
    sizeCalculation: (bytes) => bytes.length + 200,
  });
  return {
    maxBodyBytes,
    get: async (key) => bodies.get(key),
    set: (key, bytes) => void bodies.set(key, alone(bytes)),
    get bytes() {
      return bodies.calculatedSize;
    },
  };
}

/** A small buffer is a slice of one that others share, up to 64 KB, and would keep all of it in memory. */
function alone(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength === bytes.length) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
