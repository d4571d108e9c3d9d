import { LRUCache } from "lru-cache";

type Options<K extends {}, V extends {}> = Omit<LRUCache.OptionsMaxLimit<K, V, unknown>, "maxSize" | "sizeCalculation">;

/**
 * A cache of at most `max` entries, which drops the least recently used. Its memory grows as it fills: given `max` itself,
 * lru-cache takes the memory of all entries when it is made, 0.5 MB for 20,000.
 */
export function lru<K extends {}, V extends {}>({ max, ...options }: Options<K, V>): LRUCache<K, V> {
  return new LRUCache<K, V>({ ...options, maxSize: max, sizeCalculation: () => 1 });
}
