/**
 * Group commit: what callers ask for while one flush runs goes together in the next, so many share one commit.
 * `flush` resolves when all its items are done; when it fails, all its callers are told.
 */
export function batched<T>(flush: (items: T[]) => Promise<void>, most = 200): (item: T) => Promise<void> {
  let waiting: { item: T; resolve: () => void; reject: (error: unknown) => void }[] = [];
  let running = false;
  const drain = async () => {
    running = true;
    while (waiting.length > 0) {
      const jobs = waiting.slice(0, most);
      waiting = waiting.slice(most);
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
