import { signal } from "@preact/signals";

/** Work on many emails that is under way: shown until it ends, and may be stopped. */
export interface Work {
  text: string;
  done: number;
  total: number;
  isStopped: boolean;
}

export const work = signal<Work | undefined>(undefined);

export function stopWork(): void {
  if (work.peek()) work.value = { ...work.peek()!, isStopped: true };
}
