/**
 * Makes the pages: sources → files as they are served, compressed. `node web/build.ts` writes them to web/dist, for a package.
 * A server that was started from the sources forks this file, and gets them as a message.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { rolldown } from "rolldown";

/** A file as it is served. `src/web/files.ts` reads the same shape. */
export interface BuiltFile {
  site: Site;
  /** "/", "/worker.js" or "/assets/…" */
  path: string;
  type: string;
  etag: string;
  bytes: Buffer;
  br: Buffer;
  gzip: Buffer;
}

/** Each is bundled by itself, so that none carries code of the other. */
const sites = ["inbox", "operator"] as const;
type Site = (typeof sites)[number];

const here = import.meta.dirname;
const compress = promisify(brotliCompress);
const zip = promisify(gzip);

/** Builds the pages in memory. The same sources give the same files, with the same names. */
export async function build(): Promise<BuiltFile[]> {
  return (await Promise.all(sites.map(buildSite))).flat();
}

async function buildSite(site: Site): Promise<BuiltFile[]> {
  const [scripts, styles, icon] = await Promise.all([
    bundle(site),
    stylesheet(site),
    readFile(join(here, "inbox/icon.svg"), "utf8"),
  ]);
  const main = scripts.find(({ isEntry }) => isEntry)!;
  const iconFile = named("icon.svg", icon);
  const manifest = named("manifest.webmanifest", manifestOf(iconFile.path));
  const style = named(`${site}.css`, styles);
  const preloads = main.imports.map((name) => `<link rel="modulepreload" href="/assets/${name}" />`).join("\n    ");
  const links = { icon: iconFile.path, manifest: manifest.path, styles: style.path, main: main.path, preloads };
  const html = fill(await readFile(join(here, site, "index.html"), "utf8"), links);
  const assets = [iconFile, manifest, style, ...scripts];
  const worker = site === "inbox" ? [await workerFor(html, assets)] : [];
  const files = [{ path: "/", text: html }, ...worker, ...assets];
  return Promise.all(files.map((file) => finish(site, file)));
}

/** The script that keeps the page's files, named for these very files. */
async function workerFor(html: string, assets: readonly Made[]): Promise<Made> {
  const paths = assets.map(({ path }) => path);
  const made = JSON.stringify({ files: paths, version: hashOf(html + paths.join()).slice(0, 8) });
  return {
    path: "/worker.js",
    text: `const made = ${made};\n${await readFile(join(here, "inbox/worker.js"), "utf8")}`,
  };
}

interface Made {
  path: string;
  text: string;
}

interface Script extends Made {
  isEntry: boolean;
  /** Names of the files that it needs at once. */
  imports: string[];
}

async function bundle(site: Site): Promise<Script[]> {
  const bundler = await rolldown({
    input: { [site]: join(here, site, "main.tsx") },
    platform: "browser",
    tsconfig: join(here, "tsconfig.json"),
    onLog: (level, log) => {
      if (level === "warn") throw new Error(log.message);
    },
  });
  try {
    const { output } = await bundler.generate({
      format: "esm",
      minify: true,
      entryFileNames: "[name]-[hash].js",
      chunkFileNames: "[name]-[hash].js",
      comments: { legal: true },
    });
    return output.flatMap((chunk) => {
      if (chunk.type !== "chunk") return [];
      const { fileName, code, isEntry, imports } = chunk;
      return [{ path: `/assets/${fileName}`, text: code, isEntry, imports }];
    });
  } finally {
    await bundler.close();
  }
}

/** All styles in one file: what all pages share, then each part of the page. */
async function stylesheet(site: Site): Promise<string> {
  const names = (await readdir(join(here, site), { recursive: true })).filter((name) => name.endsWith(".css")).sort();
  const paths = ["shared/theme.css", ...names.map((name) => join(site, name))];
  const sheets = await Promise.all(paths.map((path) => readFile(join(here, path), "utf8")));
  return sheets
    .join("\n")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\s*\n\s*/g, "\n")
    .trim();
}

function manifestOf(icon: string): string {
  return JSON.stringify({
    name: "Posthorn",
    short_name: "Posthorn",
    start_url: "/",
    display: "standalone",
    background_color: "#f3f5f9",
    theme_color: "#f3f5f9",
    icons: [{ src: icon, sizes: "any", type: "image/svg+xml" }],
  });
}

function named(name: string, text: string): Made {
  const dot = name.lastIndexOf(".");
  return { path: `/assets/${name.slice(0, dot)}-${hashOf(text).slice(0, 8)}${name.slice(dot)}`, text };
}

function fill(template: string, values: Record<string, string>): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`index.html names ${name}, which does not exist`);
    return value;
  });
}

const hashOf = (text: string) => createHash("sha256").update(text).digest("base64url").replace(/[-_]/g, "0");

const types: Record<string, string> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  webmanifest: "application/manifest+json",
};

async function finish(site: Site, { path, text }: Made): Promise<BuiltFile> {
  const bytes = Buffer.from(text);
  const quality = {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  };
  const [br, gz] = await Promise.all([compress(bytes, quality), zip(bytes, { level: 9 })]);
  const type = types[/\.(\w+)$/.exec(path)?.[1] ?? ""] ?? "text/html; charset=utf-8";
  return { site, path, type, etag: `"${hashOf(text).slice(0, 22)}"`, bytes, br, gzip: gz };
}

/** web/dist: a list of the files, and each in its three forms. */
async function write(files: readonly BuiltFile[]): Promise<void> {
  const folder = join(here, "dist");
  await rm(folder, { recursive: true, force: true });
  for (const file of files) {
    const place = join(folder, file.site, file.path === "/" ? "index.html" : file.path);
    await mkdir(dirname(place), { recursive: true });
    await Promise.all([
      writeFile(place, file.bytes),
      writeFile(`${place}.br`, file.br),
      writeFile(`${place}.gz`, file.gzip),
    ]);
  }
  const list = files.map(({ site, path, type, etag }) => ({ site, path, type, etag }));
  await writeFile(join(folder, "files.json"), `${JSON.stringify(list, null, 2)}\n`);
  const page = files.find(({ site, path }) => site === "inbox" && path === "/")!.bytes.toString();
  const first = files.filter(({ path }) => page.includes(`"${path}"`)).reduce((sum, { br }) => sum + br.length, 0);
  console.log(`web/dist: ${files.length} files, ${(first / 1000).toFixed(1)} kB for the first screen`);
}

if (import.meta.main) {
  const files = await build();
  if (process.send) process.send(files, () => process.disconnect());
  else await write(files);
}
