import { fork } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Site } from "./cookie.ts";

/** A file of the pages in its three forms; web/build.ts makes it. */
export interface PageFile {
  /** The page that it is of. */
  site: Site;
  /** "/", "/worker.js" or "/assets/…" */
  path: string;
  type: string;
  etag: string;
  bytes: Buffer;
  br: Buffer;
  gzip: Buffer;
}

/** The same for a message of JSON, in base64. */
export type SentFile = Omit<PageFile, "bytes" | "br" | "gzip"> & Record<"bytes" | "br" | "gzip", string>;

/** From src/web and from dist/web alike. */
const webFolder = fileURLToPath(new URL("../../web/", import.meta.url));

/** The files of web/dist if they are there and not older than the sources; otherwise builds them. */
export async function loadFiles(): Promise<PageFile[]> {
  const list = join(webFolder, "dist/files.json");
  const builder = join(webFolder, "build.ts");
  const hasSources = existsSync(builder);
  if (existsSync(list) && (!hasSources || statSync(list).mtimeMs >= newestSource())) return readBuilt(list);
  if (hasSources) return build(builder);
  throw new Error("web/dist is missing: npm run build makes it");
}

async function readBuilt(list: string): Promise<PageFile[]> {
  const files = JSON.parse(await readFile(list, "utf8")) as Pick<PageFile, "site" | "path" | "type" | "etag">[];
  return Promise.all(
    files.map(async (file) => {
      const place = join(webFolder, "dist", file.site, file.path === "/" ? "index.html" : file.path);
      const [bytes, br, gzip] = await Promise.all(["", ".br", ".gz"].map((form) => readFile(place + form)));
      return { ...file, bytes: bytes!, br: br!, gzip: gzip! };
    }),
  );
}

/** In a process of its own, which ends: bundling takes a hundred megabytes. */
function build(builder: string): Promise<PageFile[]> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = fork(builder, [], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env,
    execArgv: [],
  });
  let trouble = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    trouble = (trouble + text).slice(-2_000);
  });
  return new Promise((resolve, reject) => {
    child.once("message", (files) => resolve(files as unknown as PageFile[]));
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`web/build.ts ended with ${code}: ${trouble.trim()}`)));
  });
}

function newestSource(): number {
  const names = readdirSync(webFolder, { recursive: true, encoding: "utf8" });
  const sources = names.filter((name) => /\.(ts|tsx|css|html|svg)$/.test(name) && !/^(dist|test)\b/.test(name));
  return Math.max(...sources.map((name) => statSync(join(webFolder, name)).mtimeMs));
}

export function toSent(file: PageFile): SentFile {
  const { bytes, br, gzip } = file;
  return { ...file, bytes: bytes.toString("base64"), br: br.toString("base64"), gzip: gzip.toString("base64") };
}

export function fromSent(file: SentFile): PageFile {
  const of = (text: string) => Buffer.from(text, "base64");
  return { ...file, bytes: of(file.bytes), br: of(file.br), gzip: of(file.gzip) };
}
