import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

/** The documentation site, as `npm run site` builds it. */
const root = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "posthorn-site-"));
const run = promisify(execFile);
const pages = new Map<string, string>();

beforeAll(async () => {
  const eleventy = join(root, "node_modules/@11ty/eleventy/cmd.cjs");
  const args = ["--config=site/eleventy.config.js", `--output=${relative(root, folder)}`];
  await run(process.execPath, [eleventy, ...args], { cwd: root });
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (name.endsWith(".html")) pages.set(join(folder, name), readFileSync(join(folder, name), "utf8"));
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1]!);

test("every text of docs/ is a page", () => {
  const texts = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".md"),
  );
  const missing = texts.filter((name) => {
    const page = name.replace(/README\.md$/, "index.md").replace(/md$/, "html");
    return !pages.has(join(folder, "docs", page));
  });
  expect(missing).toEqual([]);
});

test("every link leads to a page, and to a heading that is there", () => {
  const broken: string[] = [];
  for (const [page, html] of pages) {
    for (const href of all(html, / href="([^"]+)"/g)) {
      if (/^(https?|mailto):/.test(href)) continue;
      const [path, anchor] = href.split("#") as [string, string | undefined];
      const target = path === "" ? page : resolve(dirname(page), path);
      const isThere = existsSync(target) && (!anchor || pages.get(target)?.includes(` id="${decodeURI(anchor)}"`));
      if (!isThere) broken.push(`${relative(folder, page)}: ${href}`);
    }
  }
  expect(broken).toEqual([]);
});

test("no page loads anything of others, or runs anything", () => {
  const own = [...pages].filter(([page]) => !page.endsWith("docs/conformance/report.html"));
  expect(own.length).toBeGreaterThan(30);
  for (const [page, html] of own) {
    const loaded = [
      ...all(html, /<(?:script|img|iframe)[^>]* src="([^"]+)"/g),
      ...all(html, /<link [^>]*href="([^"]+)"/g),
    ];
    expect(
      loaded.filter((url) => /^(https?:)?\/\//.test(url)),
      page,
    ).toEqual([]);
    expect(html, page).not.toContain("<script");
  }
});
