import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { all } from "../../test/support/contracts/object-store.ts";
import { inPieces, unpack } from "./frames.ts";

const folder = await mkdtemp(join(tmpdir(), "backup-frames-"));
afterAll(() => rm(folder, { recursive: true }));

const files: Record<string, string> = {
  "base/": "",
  "base/1": "x".repeat(1000),
  empty: "",
  "base/2": "yz",
  "pg_wal/": "",
};

async function* entries(given: Record<string, string>) {
  for (const [path, text] of Object.entries(given)) {
    yield { file: { path, size: text.length }, content: contentOf(text) };
  }
}

async function* contentOf(text: string) {
  for (let at = 0; at < text.length; at += 300) yield Buffer.from(text.slice(at, at + 300));
}

test("files pass through pieces of any size", async () => {
  for (const size of [1, 7, 64, 5000]) {
    const there = join(folder, String(size));
    const pieces = await all(inPieces(entries(files), size));
    expect(pieces.slice(0, -1).every(({ length }) => length === size)).toBe(true);
    await unpack(inPieces(entries(files), size), there);
    for (const [path, text] of Object.entries(files)) {
      if (path.endsWith("/")) expect((await stat(join(there, path))).isDirectory()).toBe(true);
      else expect(await readFile(join(there, path), "utf8")).toBe(text);
    }
  }
});

test("pieces that end too early, and paths that lead out, are refused", async () => {
  const [whole] = await all(inPieces(entries(files), 5000));
  await expect(unpack(one(whole!.subarray(0, 500)), join(folder, "cut"))).rejects.toThrow("ends within a file");
  for (const path of ["../out", "a/../../out"]) {
    await expect(unpack(inPieces(entries({ [path]: "x" }), 100), join(folder, "in"))).rejects.toThrow(
      "the backup names",
    );
  }
});

async function* one(bytes: Buffer) {
  yield bytes;
}
