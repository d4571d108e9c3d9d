import { LRUCache } from "lru-cache";

/** Caches recent bodies. It may evict anything at any time. */
export interface BodyCache {
  get(key: string): Promise<Buffer | undefined>;
  set(key: string, bytes: Buffer): void;
}

/** Larger bodies are not cached. */
export const maxCachedBytes = 1024 * 1024;

/** Keeps bodies in this process's memory and evicts the least recently used. */
export function createMemoryCache(maxBytes: number): BodyCache {
  if (maxBytes <= 0) return { get: async () => undefined, set: () => {} };
  const bodies = new LRUCache<string, Buffer>({
    maxSize: maxBytes,
    maxEntrySize: Math.min(maxCachedBytes, maxBytes),
    sizeCalculation: (bytes) => bytes.length + 200,
  });
  return {
    get: async (key) => bodies.get(key),
    set: (key, bytes) => void bodies.set(key, bytes),
  };
}
