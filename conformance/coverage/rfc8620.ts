import type { Sentence } from "./sentence.ts";

export const rfc8620: readonly Sentence[] = [];
