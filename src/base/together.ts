import { thisSpan } from "./traces.ts";

export interface TogetherOptions {
  /** How long the first item waits for others. (Default: until the items before it are done) */
  afterMs?: number;
  /** (Default: 100) */
  maxItems?: number;
}

interface Job<Item, Result> {
  item: Item;
  within: ReturnType<typeof thisSpan>;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Does work of one key together: items that come while others are at work wait for the next round. `work` gives a result for
 * each item, in order; when it fails, it fails for all its items. It runs within the span of the first.
 */
export function together<Key, Item, Result>(
  work: (key: Key, items: Item[]) => Promise<readonly Result[]>,
  { afterMs = 0, maxItems = 100 }: TogetherOptions = {},
): (key: Key, item: Item) => Promise<Result> {
  const waiting = new Map<Key, Job<Item, Result>[]>();

  const drain = async (key: Key, jobs: Job<Item, Result>[]) => {
    while (jobs.length > 0) {
      if (afterMs > 0 && jobs.length < maxItems) await new Promise((resolve) => setTimeout(resolve, afterMs));
      const some = jobs.splice(0, maxItems);
      try {
        const items = some.map(({ item }) => item);
        const results = await some[0]!.within(() => work(key, items));
        for (const [at, { resolve }] of some.entries()) resolve(results[at]!);
      } catch (error) {
        for (const { reject } of some) reject(error);
      }
    }
    waiting.delete(key);
  };

  return (key, item) =>
    new Promise((resolve, reject) => {
      const job = { item, within: thisSpan(), resolve, reject };
      const jobs = waiting.get(key);
      if (jobs) {
        jobs.push(job);
        return;
      }
      const first = [job];
      waiting.set(key, first);
      void drain(key, first);
    });
}
