import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
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

test("a tree without a breach passes", () => {
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

const target = "export const x = 1;\n";
/** A breach of each rule: the rule, the planted file, its import, and the form of the import if it is not a re-export. */
const breaches: [rule: string, file: string, imported: string, content?: string][] = [
  ["base-imports", "src/base/q.ts", "src/config/x.ts"],
  ["config-imports", "src/config/q.ts", "src/store/x.ts"],
  ["mime-imports", "src/mime/q.ts", "src/store/x.ts"],
  ["store-imports", "src/store/q.ts", "src/mail/x.ts"],
  ["postgres-imports", "src/postgres/q.ts", "src/store/x.ts"],
  ["redis-imports", "src/redis/q.ts", "src/store/x.ts"],
  ["search-imports", "src/search/q.ts", "src/mail/x.ts"],
  ["store-core-imports", "src/store/core/q.ts", "src/store/mail/x.ts"],
  ["store-blobs-imports", "src/store/blobs/q.ts", "src/store/mail/x.ts"],
  ["store-cluster-imports", "src/store/cluster/q.ts", "src/store/mail/x.ts"],
  ["store-mail-imports", "src/store/mail/q.ts", "src/store/queues/x.ts"],
  ["store-email-query-imports", "src/store/email-query/q.ts", "src/store/mail/x.ts"],
  ["store-queues-imports", "src/store/queues/q.ts", "src/store/mail/x.ts"],
  ["store-directory-imports", "src/store/directory/q.ts", "src/store/upkeep/x.ts"],
  ["store-upkeep-imports", "src/store/upkeep/q.ts", "src/store/email-query/x.ts"],
  ["backup-imports", "src/backup/q.ts", "src/mail/x.ts"],
  ["auth-imports", "src/auth/q.ts", "src/mail/x.ts"],
  ["mail-imports", "src/mail/q.ts", "src/push/x.ts"],
  ["push-imports", "src/push/q.ts", "src/jmap/x.ts"],
  ["admin-imports", "src/admin/q.ts", "src/smtp/x.ts"],
  ["admin-imports", "src/admin/p.ts", "src/jmap/x.ts"],
  ["jmap-imports", "src/jmap/q.ts", "src/smtp/x.ts"],
  ["jmap-imports", "src/jmap/p.ts", "src/config/x.ts"],
  ["smtp-imports", "src/smtp/q.ts", "src/jmap/x.ts"],
  ["ops-imports", "src/ops/q.ts", "src/config/x.ts"],
  ["ops-imports", "src/ops/o.ts", "src/admin/x.ts"],
  ["operators-alone-administer", "src/jmap/m.ts", "src/admin/x.ts"],
  ["operators-alone-administer", "src/jmap/http/q.ts", "src/admin/x.ts"],
  ["operators-alone-administer", "src/jmap/quota/p.ts", "src/admin/x.ts"],
  ["web-imports", "src/web/q.ts", "src/jmap/x.ts"],
  ["only-cli-serves-pages", "src/jmap/w.ts", "src/web/x.ts"],
  ["pages-stand-alone", "web/inbox/q.ts", "src/base/x.ts"],
  ["pages-stand-alone", "web/q.ts", "scripts/x.ts"],
  ["pages-do-not-meet", "web/inbox/m.ts", "web/operator/x.ts"],
  ["shared-names-no-page", "web/shared/q.ts", "web/inbox/x.ts"],
  ["nobody-imports-cli", "src/ops/p.ts", "src/cli/x.ts"],
  ["nobody-imports-cli", "bench/p.ts", "src/cli/x.ts"],
  ["conformance-stands-alone", "conformance/q.ts", "src/base/x.ts"],
  ["conformance-stands-alone", "conformance/p.ts", "test/x.ts"],
  ["bench-uses-conformance-only", "bench/q.ts", "src/base/x.ts"],
  ["bench-uses-conformance-only", "bench/o.ts", "test/x.ts"],
  ["src-stands-alone", "src/mime/p.ts", "test/x.ts"],
  ["src-stands-alone", "src/cli/q.ts", "conformance/x.ts"],
  ["sql-stays-in-store", "src/mail/p.ts", "pg"],
  ["sql-stays-in-store", "src/jmap/n.ts", "pg", 'import type pg from "pg";\nexport type Q = pg.Pool;\n'],
  ["redis-stays-in-its-folder", "src/push/n.ts", "ioredis"],
  ["standard-names-no-type", "src/jmap/standard/q.ts", "src/jmap/mailbox/x.ts"],
  ["types-do-not-meet", "src/jmap/quota/q.ts", "src/jmap/mailbox/x.ts"],
  ["types-do-not-meet", "src/jmap/a-new-one/q.ts", "src/jmap/quota/x.ts"],
  ["types-do-not-meet", "src/jmap/thread/q.ts", "src/jmap/a-new-one/x.ts"],
  ["types-do-not-meet", "src/jmap/email/query/q.ts", "src/jmap/http/x.ts"],
  ["no-barrels", "src/jmap/o.ts", "src/base/index.ts"],
  ["no-test-tools-in-src", "src/mail/o.ts", "fast-check"],
  ["resolvable", "src/push/o.ts", "src/push/gone.ts"],
];
/** Imports that these rules must accept. */
const allowed: [file: string, imported: string][] = [
  ["src/jmap/email/query/a.ts", "src/jmap/email/x.ts"],
  ["src/jmap/quota/a.ts", "src/jmap/standard/x.ts"],
  ["src/jmap/http/a.ts", "src/jmap/mailbox/x.ts"],
  ["src/jmap/standard/a.ts", "src/jmap/method.ts"],
  ["src/jmap/operator/a.ts", "src/admin/x.ts"],
  ["src/admin/a.ts", "src/push/x.ts"],
  ["src/cli/a.ts", "src/smtp/x.ts"],
  ["src/cli/b.ts", "src/web/x.ts"],
  ["src/web/a.ts", "src/auth/x.ts"],
  ["test/a.ts", "src/cli/x.ts"],
  ["bench/a.ts", "conformance/x.ts"],
];

function importing(file: string, imported: string): string {
  const path = /[/]/.test(imported) ? relative(dirname(file), imported).replace(/^(?![.])/, "./") : imported;
  return `export * from "${path}";\n`;
}

test("each rule refuses its breach, and accepts what it should", () => {
  const plants = [...breaches.map(([, ...plant]) => plant), ...allowed];
  const targets = plants.map(([, imported]) => imported).filter((name) => name.endsWith(".ts") && !/gone/.test(name));
  const { status, text } = check({
    ...Object.fromEntries(targets.map((name) => [name, target])),
    ...Object.fromEntries(plants.map(([file, imported, content]) => [file, content ?? importing(file, imported)])),
  });
  const found = text.split("\n");
  for (const [rule, file, imported] of breaches) {
    expect(found).toContainEqual(
      expect.stringMatching(new RegExp(`^${rule}: ${file} → .*${imported.split("/").at(-1)}`)),
    );
  }
  for (const [file] of allowed) expect(text).not.toContain(file);
  expect(status).toBe(1);
});

test("every rule has a planted breach", () => {
  const { forbidden } = createRequire(import.meta.url)("../.dependency-cruiser.cjs") as {
    forbidden: { name: string }[];
  };
  // The rule that is tested above.
  const tried = new Set(["no-cycles", ...breaches.map(([rule]) => rule)]);
  expect(forbidden.map(({ name }) => name).sort()).toEqual([...tried].sort());
});

function foldersIn(path: string): string[] {
  const entries = readdirSync(join(root, path), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

test("every folder of src and every room of the store has a rule", () => {
  const folders = foldersIn("src");
  const ruled = breaches.flatMap(([rule]) => /^(.*)-imports$/.exec(rule)?.[1] ?? []);
  const rooms = foldersIn("src/store").map((room) => `store-${room}`);
  expect([...new Set([...ruled, "cli"])].sort()).toEqual([...folders, ...rooms].sort());
});

test("a tree from which nothing was read fails", () => {
  const { status, text } = check({ "src/readme.md": "nothing\n", "other.ts": "export {};\n" });
  expect(text).toContain("no module was read");
  expect(status).toBe(1);
});
