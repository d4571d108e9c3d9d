import { type Clock, systemClock } from "./clock.ts";

export interface Patience {
  /** In ms; each pause is twice the one before, up to the longest. */
  firstPause: number;
  longestPause: number;
  /** In ms: what fails later than that has failed. (Default: for as long as it takes.) */
  patience?: number;
  /** Whether it may go well another time. (Default: always.) */
  isPassing?: (error: unknown) => boolean;
}

interface Retry extends Patience {
  /** By which patience ends. */
  clock?: Clock;
  onFailure?: (error: unknown, pause: number) => void;
  /** Once aborted, what is under way is the last attempt. */
  signal?: AbortSignal;
}

/** Does the work until it goes well. It must be safe to repeat. Throws the last failure. */
export async function retry<T>(work: () => Promise<T>, how: Retry): Promise<T> {
  const { clock = systemClock, firstPause, longestPause, isPassing = () => true, signal } = how;
  const { patience = Number.POSITIVE_INFINITY } = how;
  const begunAt = clock.now().getTime();
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error) || clock.now().getTime() - begunAt > patience) throw error;
      how.onFailure?.(error, pause);
      await pauseFor(pause, signal);
      if (signal?.aborted) throw error;
    }
  }
}

/** Ends early when the signal does. */
export function pauseFor(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
  });
}
