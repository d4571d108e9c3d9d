import type { Sentence } from "./sentence.ts";

export const rfc8887: readonly Sentence[] = [];
