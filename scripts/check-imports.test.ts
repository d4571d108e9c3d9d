import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
let copy: string;

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), "posthorn-imports-"));
  for (const file of [".dependency-cruiser.cjs", "tsconfig.json", "package.json"]) {
    copyFileSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
});
afterEach(() => rmSync(copy, { recursive: true }));

/** Plants the files and runs the check on them. */
function check(files: Record<string, string>) {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(copy, name)), { recursive: true });
    writeFileSync(join(copy, name), content);
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "scripts/check-imports.ts")], {
    cwd: copy,
    encoding: "utf8",
  });
  return { status, text: stdout + stderr };
}

const clean = {
  "src/base/a.ts": "export interface A { a: 1 }\nexport const a = 1;\n",
  "src/jmap/j.ts": "export interface J { j: 1 }\nexport const j = 1;\n",
};

test("a clean tree passes", () => {
  const { status, text } = check({
    ...clean,
    "src/store/s.ts": 'import pg from "pg";\nimport type { A } from "../base/a.ts";\nexport type S = [A, pg.Pool];\n',
  });
  expect(text).toContain("3 modules, 0 breaches");
  expect(status).toBe(0);
});

test.each([
  ["a value", 'import { j } from "../jmap/j.ts";\nexport const s = j;\n'],
  ["a type", 'import type { J } from "../jmap/j.ts";\nexport type S = J;\n'],
  ["a type in place", 'export type S = import("../jmap/j.ts").J;\n'],
  ["at run time", 'export const s = () => import("../jmap/j.ts");\n'],
  ["passed on", 'export { j } from "../jmap/j.ts";\n'],
])("an import from where it may not be fails: %s", (_kind, content) => {
  const { status, text } = check({ ...clean, "src/store/s.ts": content });
  expect(text).toContain("store-imports: src/store/s.ts → src/jmap/j.ts");
  expect(status).toBe(1);
});

test.each([
  [
    "values",
    'import { y } from "./y.ts";\nexport const x = () => y;\n',
    'import { x } from "./x.ts";\nexport const y = () => x;\n',
  ],
  [
    "types",
    'import type { Y } from "./y.ts";\nexport interface X { y?: Y }\n',
    'import type { X } from "./x.ts";\nexport interface Y { x?: X }\n',
  ],
])("a cycle of %s fails", (_kind, x, y) => {
  const { status, text } = check({ "src/store/x.ts": x, "src/store/y.ts": y });
  expect(text).toContain("no-cycles");
  expect(status).toBe(1);
});

test.each([
  ["sql-stays-in-store", "src/jmap/q.ts", 'import pg from "pg";\nexport const q = pg;\n'],
  ["sql-stays-in-store", "src/jmap/q.ts", 'import type pg from "pg";\nexport type Q = pg.Pool;\n'],
  ["nobody-imports-cli", "bench/b.ts", 'export * from "../src/cli/main.ts";\n'],
  ["conformance-stands-alone", "conformance/c.ts", 'export * from "../src/base/a.ts";\n'],
  ["no-barrels", "src/jmap/q.ts", 'export * from "../base/index.ts";\n'],
  ["no-test-tools-in-src", "src/jmap/q.ts", 'export * from "fast-check";\n'],
  ["resolvable", "src/jmap/q.ts", 'export * from "./gone.ts";\n'],
])("%s is enforced: %s", (rule, file, content) => {
  const others = { "src/cli/main.ts": "export const main = 1;\n", "src/base/index.ts": "export const i = 1;\n" };
  const { status, text } = check({ ...clean, ...others, [file]: content });
  expect(text).toContain(`${rule}: ${file}`);
  expect(status).toBe(1);
});

test("a tree of which nothing was read fails", () => {
  const { status, text } = check({ "src/readme.md": "nothing\n", "other.ts": "export {};\n" });
  expect(text).toContain("no module was read");
  expect(status).toBe(1);
});
