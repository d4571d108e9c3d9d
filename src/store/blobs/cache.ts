import { LRUCache } from "lru-cache";

/** Recent bodies. May forget anything at any time. */
export interface BodyCache {
  get(key: string): Promise<Buffer | undefined>;
  set(key: string, bytes: Buffer): void;
  delete(key: string): void;
}

/** Larger bodies are read from the object store each time. */
export const cachedAtMost = 1024 * 1024;

/** In this process's memory, the least recently used leave first. */
export function createMemoryCache(maxBytes: number): BodyCache {
  if (maxBytes <= 0) return { get: async () => undefined, set: () => {}, delete: () => {} };
  const bodies = new LRUCache<string, Buffer>({
    maxSize: maxBytes,
    maxEntrySize: Math.min(cachedAtMost, maxBytes),
    sizeCalculation: (bytes) => bytes.length + 200,
  });
  return {
    get: async (key) => bodies.get(key),
    set: (key, bytes) => void bodies.set(key, bytes),
    delete: (key) => void bodies.delete(key),
  };
}
