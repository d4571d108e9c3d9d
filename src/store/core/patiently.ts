import { isRetryable } from "./database.ts";

/** Runs work again that a lost connection or race has ended, for as long as a caller may be kept waiting. */
export async function patiently<T>(work: () => Promise<T>, milliseconds = 10_000): Promise<T> {
  const deadline = Date.now() + milliseconds;
  for (let pause = 20; ; pause = Math.min(pause * 2, 500)) {
    try {
      return await work();
    } catch (error) {
      if (!isRetryable(error) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
