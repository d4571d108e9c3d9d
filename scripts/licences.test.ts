import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isPermissive, page, readPackages } from "./licences.ts";

const root = resolve(import.meta.dirname, "..");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "posthorn-licences-"));
  mkdirSync(join(folder, "docs"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const ours = {
  name: "ours",
  version: "1.0.0",
  license: "Apache-2.0",
  dependencies: { a: "^1.0.0", "@scope/b": "2.0.0" },
};
const lock = {
  "": ours,
  "node_modules/a": { version: "1.2.3", license: "MIT", integrity: "sha512-AAEC/w==", dependencies: { c: "^1.0.0" } },
  "node_modules/a/node_modules/c": { version: "1.0.0", license: "ISC", dependencies: { "@scope/b": "2.0.0" } },
  "node_modules/@scope/b": { version: "2.0.0", license: "(GPL-3.0-only OR MIT)", dependencies: { c: "^2.0.0" } },
  "node_modules/c": { version: "2.0.0", license: "0BSD", optional: true },
  "node_modules/d": { version: "1.0.0", license: "GPL-3.0-only", dev: true },
};

function run(packages: object, ...args: string[]) {
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages }));
  const script = join(root, "scripts/licences.ts");
  return spawnSync(process.execPath, [script, ...args], { cwd: folder, encoding: "utf8" });
}

test("the page lists each package that is needed to run, with its licence", () => {
  expect(run(lock).status).toBe(0);
  const rows = readFileSync(join(folder, "docs/licences.md"), "utf8").split("\n").slice(7, -1);
  expect(rows).toEqual([
    "| @scope/b | 2.0.0 | (GPL-3.0-only OR MIT) |",
    "| a | 1.2.3 | MIT |",
    "| c | 1.0.0 | ISC |",
    "| c | 2.0.0 | 0BSD |",
  ]);
});

test.each(["GPL-3.0-only", "MIT AND LGPL-2.1-only", "SEE LICENSE IN LICENSE", undefined])(
  "a licence that is not permissive fails, and nothing is written: %s",
  (license) => {
    const { status, stderr } = run({ ...lock, "node_modules/c": { version: "2.0.0", license } });
    expect(status).toBe(1);
    expect(stderr).toBe(`c 2.0.0: ${license ?? "none"}\n`);
    expect(existsSync(join(folder, "docs/licences.md"))).toBe(false);
  },
);

test("one of alternative licences must be permissive, and all of combined ones", () => {
  const isAllowed = (licence: string) => isPermissive({ licence });
  expect(["MIT", "GPL-2.0-only OR ISC", "(MIT AND ISC)"].map(isAllowed)).toEqual([true, true, true]);
  expect(["GPL-2.0-only", "(MIT AND GPL-2.0-only)", "", "none"].map(isAllowed)).toEqual([false, false, false, false]);
});

test("the bill of materials names each version, its hash and its dependencies", () => {
  expect(run(lock, "--sbom", "sbom.json").status).toBe(0);
  expect(existsSync(join(folder, "docs/licences.md"))).toBe(false);
  const bill = JSON.parse(readFileSync(join(folder, "sbom.json"), "utf8"));
  expect(bill).toMatchObject({
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    metadata: { component: { type: "application", name: "ours", version: "1.0.0" } },
  });
  expect(bill.components).toEqual([
    {
      type: "library",
      "bom-ref": "pkg:npm/%40scope/b@2.0.0",
      name: "@scope/b",
      version: "2.0.0",
      licenses: [{ expression: "(GPL-3.0-only OR MIT)" }],
      purl: "pkg:npm/%40scope/b@2.0.0",
      scope: "required",
    },
    expect.objectContaining({ name: "a", hashes: [{ alg: "SHA-512", content: "000102ff" }] }),
    expect.objectContaining({ name: "c", version: "1.0.0", licenses: [{ license: { id: "ISC" } }] }),
    expect.objectContaining({ name: "c", version: "2.0.0", scope: "optional" }),
  ]);
  expect(bill.dependencies).toEqual([
    { ref: "pkg:npm/ours@1.0.0", dependsOn: ["pkg:npm/%40scope/b@2.0.0", "pkg:npm/a@1.2.3"] },
    { ref: "pkg:npm/a@1.2.3", dependsOn: ["pkg:npm/c@1.0.0"] },
    { ref: "pkg:npm/c@1.0.0", dependsOn: ["pkg:npm/%40scope/b@2.0.0"] },
    { ref: "pkg:npm/%40scope/b@2.0.0", dependsOn: ["pkg:npm/c@2.0.0"] },
    { ref: "pkg:npm/c@2.0.0", dependsOn: [] },
  ]);
});

test("docs/licences.md matches package-lock.json (`npm run licences` writes it)", () => {
  const packages = readPackages(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")));
  expect(readFileSync(join(root, "docs/licences.md"), "utf8")).toBe(page(packages));
});
