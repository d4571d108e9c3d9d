import type { Level } from "./define.ts";
import type { Exchange } from "./recorder.ts";

export type Outcome = "pass" | "fail" | "skip";

export type TestResult = {
  name: string;
  rfc: string;
  section: string;
  level: Level;
  says: string;
  outcome: Outcome;
  ms: number;
  /** Why it failed or was skipped. */
  message?: string;
  /** The requests and answers of a failed test. */
  exchanges?: Exchange[];
};

/** What `--json` writes and `--compare` reads. */
export type RunResult = {
  format: "jmap-conformance-1";
  /** The server's name in the report. */
  server: string;
  url: string;
  started: string;
  ms: number;
  results: TestResult[];
};

export type Count = { pass: number; fail: number; skip: number };

export function count(results: readonly TestResult[], level?: Level): Count {
  const sum: Count = { pass: 0, fail: 0, skip: 0 };
  for (const result of results) if (level === undefined || result.level === level) sum[result.outcome]++;
  return sum;
}

/** Sections such as `rfc8620 §5.3`, in the order of the texts. */
export function bySection<T extends { rfc: string; section: string }>(items: readonly T[]): Map<string, T[]> {
  const order = (a: T, b: T): number =>
    a.rfc === b.rfc ? compareSections(a.section, b.section) : a.rfc < b.rfc ? -1 : 1;
  return Map.groupBy(items.toSorted(order), ({ rfc, section }) => `${rfc} §${section}`);
}

export function compareSections(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
