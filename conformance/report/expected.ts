import { readFileSync } from "node:fs";
import type { TestResult } from "../runner/result.ts";

export type Judgement = { newFailures: string[]; unexpectedPasses: string[] };

/** One test name a line; `#` begins a comment. */
export function readExpected(file: string): Set<string> {
  const lines = readFileSync(file, "utf8").split(/\r?\n/);
  return new Set(lines.map((line) => line.replace(/#.*/, "").trim()).filter((line) => line !== ""));
}

export function judge(results: readonly TestResult[], expected: ReadonlySet<string>): Judgement {
  const named = (outcome: string, known: boolean): string[] =>
    results.filter((one) => one.outcome === outcome && expected.has(one.name) === known).map(({ name }) => name);
  return { newFailures: named("fail", false), unexpectedPasses: named("pass", true) };
}
