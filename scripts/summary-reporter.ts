import type { Reporter, TestModule } from "vitest/node";

interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
}

/** An error that no test caught, with the file that was running, if that is known. */
export type StrayError = { VITEST_TEST_PATH?: string };

/** Prints `N passed, N failed, N skipped` alone on the last line. Of a file that was run several times, the last run counts. */
export default class SummaryReporter implements Reporter {
  readonly #files = new Map<string, Outcome>();
  #failedOutsideFiles = 0;

  constructor() {
    process.on("exit", () => this.#print());
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    for (const module of modules) this.#files.set(module.moduleId, outcomeOf(module));
    for (const { VITEST_TEST_PATH } of unhandledErrors as StrayError[]) {
      const file = this.#files.get(VITEST_TEST_PATH ?? "");
      if (file) file.failed++;
      else this.#failedOutsideFiles++;
    }
  }

  #print(): void {
    const count = { passed: 0, failed: this.#failedOutsideFiles, skipped: 0 };
    for (const file of this.#files.values()) {
      for (const state of ["passed", "failed", "skipped"] as const) count[state] += file[state];
    }
    process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}

function outcomeOf(module: TestModule): Outcome {
  const outcome = { passed: 0, failed: 0, skipped: 0 };
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    outcome[state === "pending" ? "skipped" : state]++;
  }
  if (module.state() === "failed" && outcome.failed === 0) outcome.failed = 1;
  return outcome;
}
