import { type Clock, systemClock } from "./clock.ts";

export interface Patience {
  /** Each pause is twice the one before, up to `maxPauseMs`. */
  firstPauseMs: number;
  maxPauseMs: number;
  /** A failure later than this is final. (Default: retries without end.) */
  patienceMs?: number;
  /** Whether an error is temporary, so that a retry may succeed. (Default: always.) */
  isPassing?: (error: unknown) => boolean;
}

interface Retry extends Patience {
  /** Each pause is cut short by chance, by up to a half, so that callers do not retry in step. */
  hasJitter?: boolean;
  /** Measures `patienceMs`. */
  clock?: Clock;
  onFailure?: (error: unknown, pauseMs: number) => void;
  /** Once aborted, the attempt that is running is the last. */
  signal?: AbortSignal;
}

/** Repeats the work until it succeeds; it must be safe to repeat. Throws the last failure. */
export async function retry<T>(work: () => Promise<T>, how: Retry): Promise<T> {
  const { clock = systemClock, firstPauseMs, maxPauseMs, isPassing = () => true, signal } = how;
  const { patienceMs = Number.POSITIVE_INFINITY } = how;
  const begunAt = clock.now().getTime();
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, maxPauseMs)) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error) || clock.now().getTime() - begunAt > patienceMs) throw error;
      how.onFailure?.(error, pause);
      await pauseFor(how.hasJitter ? pause * (1 - Math.random() / 2) : pause, signal);
      if (signal?.aborted) throw error;
    }
  }
}

/** Resolves early when the signal is aborted. */
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
