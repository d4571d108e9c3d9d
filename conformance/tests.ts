import { echo } from "./rfc8620/4-echo.ts";
import type { Test } from "./runner/define.ts";

/** Every test of the suite; a file of tests that is not named here does not run. */
export const tests: readonly Test[] = [...echo];
