/**
 * `npm test`: `vitest run`, with the same arguments. Without a file or project named it leaves out those that take long
 * (browsers, kills, floods), unless `--all` is given. A file that failed is run once more by itself at the end, since a
 * machine may stall; what passes then is named on a line that begins with UNSTEADY.
 */
import { relative } from "node:path";
import { createVitest, parseCLI, type TestModule, TestsNotFoundError, type Vitest } from "vitest/node";
import type { StrayError } from "./summary-reporter.ts";

/** When more files fail, the reason is not a machine that stalled. */
const maxRepeated = 10;

/** What runs unless something else is named. */
const usual = ["posthorn", "statements"];

const args = process.argv.slice(2);
const { filter, options } = parseCLI(["vitest", "run", ...args.filter((arg) => arg !== "--all")]);
if (filter.length === 0 && !args.includes("--all")) options.project ??= usual;
// As the command sets them.
process.env.TEST = "true";
process.env.VITEST = "true";
process.env.NODE_ENV ??= "test";
options.watch = false;
const vitest = await createVitest(options);
const unsteady = await run(vitest, filter).catch((error: unknown) => {
  if (!(error instanceof TestsNotFoundError)) console.error(error);
  process.exitCode = 1;
  return [];
});
await vitest.exit();
for (const line of unsteady) console.log(`UNSTEADY: ${line}`);

/** Runs the tests and sets the exit code. Returns a line for each test of a file that failed, and then passed by itself. */
async function run(vitest: Vitest, filter: string[]): Promise<string[]> {
  const { testModules, unhandledErrors } = await vitest.start(filter);
  const strayErrors = unhandledErrors as (StrayError & { message?: string })[];
  const failed = testModules.filter((module) => !isFine(module, strayErrors));
  if (failed.length > maxRepeated) return [];
  const ofFiles = new Set(failed.map(({ moduleId }) => moduleId));
  let isAllFine = strayErrors.every(({ VITEST_TEST_PATH }) => ofFiles.has(VITEST_TEST_PATH ?? ""));
  const unsteady: string[] = [];
  for (const module of failed) {
    const specification = module.toTestSpecification();
    const lines = failures(module, strayErrors);
    console.log(`\nOnce more, by itself: ${relative(process.cwd(), module.moduleId)}`);
    const again = await vitest.runTestSpecifications([specification]);
    const repeated = specification.testModule;
    const hasPassed = again.unhandledErrors.length === 0 && repeated !== undefined && isFine(repeated, []);
    if (hasPassed) unsteady.push(...lines);
    isAllFine &&= hasPassed;
  }
  if (isAllFine) process.exitCode = 0;
  return unsteady;
}

/** A file whose process ended is still pending. */
function isFine(module: TestModule, strayErrors: readonly StrayError[]): boolean {
  const isStray = ({ VITEST_TEST_PATH }: StrayError) => VITEST_TEST_PATH === module.moduleId;
  return ["passed", "skipped"].includes(module.state()) && !strayErrors.some(isStray);
}

/** `file > test: first error` of each test that failed. */
function failures(module: TestModule, strayErrors: readonly (StrayError & { message?: string })[]): string[] {
  const file = relative(process.cwd(), module.moduleId);
  const line = (name: string, errors: readonly { message?: string }[] = []) =>
    `${[file, name].filter(Boolean).join(" > ")}: ${(errors[0]?.message ?? "it did not end").split("\n")[0]}`;
  const tests = [...module.children.allTests("failed")].map((test) => line(test.fullName, test.result().errors));
  const suites = [...module.children.allSuites()]
    .filter((suite) => suite.errors().length > 0)
    .map((suite) => line(suite.fullName, suite.errors()));
  const own = strayErrors.filter(({ VITEST_TEST_PATH }) => VITEST_TEST_PATH === module.moduleId);
  const errors = [...module.errors(), ...own];
  const lines = [...tests, ...suites, ...(errors.length > 0 ? [line("", errors)] : [])];
  return lines.length > 0 ? lines : [line("")];
}
