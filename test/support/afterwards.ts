import { afterAll } from "vitest";

const cleanups: (() => unknown)[] = [];

// An afterAll that is called inside a hook is never run: this one is registered while the test file loads.
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

/** Runs when the test file is done, the last one first; may be called at any time. */
export function afterwards(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}
