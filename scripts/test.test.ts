import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "posthorn-repeated-"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const reporters = JSON.stringify(["default", join(root, "scripts/summary-reporter.ts")]);
  writeFileSync(
    join(folder, "vitest.config.ts"),
    `export default { test: { pool: "forks", reporters: ${reporters} } };\n`,
  );
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Counts the runs of a test file in a file beside it. */
const counting = (name: string) => `
import { appendFileSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
appendFileSync("${name}.runs", "x");
const isFirst = readFileSync("${name}.runs", "utf8").length === 1;
`;

function run(files: Record<string, string>) {
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, `${name}.test.ts`), counting(name) + text);
  }
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawnSync(process.execPath, [join(root, "scripts/test.ts"), "--all"], {
    cwd: folder,
    encoding: "utf8",
    env,
  });
  const lines = child.stdout.trim().split("\n");
  return { code: child.status, last: lines.at(-1), unsteady: lines.filter((line) => line.startsWith("UNSTEADY: ")) };
}

const steady = `test("passes", () => {});`;
const unsteady = `describe("some", () => test("fails first", () => expect(isFirst, "too\\nlate").toBe(false)));
test("skipped", ({ skip }) => skip());`;

test("a file that failed is run again by itself, and when it passes then, the run passes and names it", () => {
  expect(
    run({
      steady,
      unsteady,
      setup: `beforeAll(() => { if (isFirst) throw new Error("no server"); });\ntest("a", () => {});`,
      stray: `test("b", () => { if (isFirst) void Promise.reject(new Error("nobody's")); });`,
    }),
  ).toEqual({
    code: 0,
    last: "4 passed, 0 failed, 1 skipped",
    unsteady: expect.arrayContaining([
      "UNSTEADY: unsteady.test.ts > some > fails first: too",
      "UNSTEADY: setup.test.ts: no server",
      "UNSTEADY: stray.test.ts: nobody's",
    ]),
  });
});

test("one that fails again fails the run; what passes the first time is run once", () => {
  const broken = `test("always fails", () => expect(1).toBe(2));
test("never again", () => expect(isFirst).toBe(true));`;
  const once = `test("once", () => expect(isFirst).toBe(true));`;
  expect(run({ once, unsteady, broken })).toEqual({
    code: 1,
    last: "2 passed, 2 failed, 1 skipped",
    unsteady: ["UNSTEADY: unsteady.test.ts > some > fails first: too"],
  });
});

test("when more than ten files fail, none is repeated", () => {
  const files = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`file${index}`, unsteady]));
  expect(run(files)).toEqual({ code: 1, last: "0 passed, 11 failed, 11 skipped", unsteady: [] });
});
