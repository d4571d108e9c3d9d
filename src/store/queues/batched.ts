/**
 * Group commit: items that arrive during a flush go together into the next one, so that many share a commit.
 * When `flush` fails, it fails for all its items.
 */
export function batched<T>(flush: (items: T[]) => Promise<void>, maxItems = 200): (item: T) => Promise<void> {
  let waiting: { item: T; resolve: () => void; reject: (error: unknown) => void }[] = [];
  let running = false;
  const drain = async () => {
    running = true;
    while (waiting.length > 0) {
      const jobs = waiting.slice(0, maxItems);
      waiting = waiting.slice(maxItems);
      try {
        await flush(jobs.map(({ item }) => item));
        for (const job of jobs) job.resolve();
      } catch (error) {
        for (const job of jobs) job.reject(error);
      }
    }
    running = false;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!running) void drain();
    });
}
