import { setFlagsFromString } from "node:v8";

/**
 * Makes V8 collect garbage sooner than it does by itself, at the price of CPU: large requests leave strings of megabytes
 * behind, and a young generation that has once grown stays large, so floods took over 400 MB. V8 reads both flags at each
 * collection.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--heap-growing-percent=10");
}
