import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";

/** A file or folder of a database; the path is relative to its folder, and that of a folder ends in a slash. */
export interface BaseFile {
  path: string;
  /** In bytes; 0 for a folder. */
  size: number;
}

/** Of the running server, or of no use in a copy; the lists are those of pg_basebackup. */
const leftOut = new Set([
  ..."postmaster.pid postmaster.opts backup_label tablespace_map backup_label.old tablespace_map.old".split(" "),
  ..."recovery.signal standby.signal postgresql.auto.conf.tmp current_logfiles backup_manifest".split(" "),
]);
const leftEmpty = new Set(
  "pg_wal pg_replslot pg_dynshmem pg_notify pg_serial pg_snapshots pg_stat_tmp pg_subtrans".split(" "),
);
const temporary = /^(pgsql_tmp|pg_internal\.init)/;
/** Says how far the files are, so it is copied when they are. */
const control = "global/pg_control";
const chunkBytes = 2 ** 20;

/** All that a base copy has: each file with its content, of exactly `size` bytes, though it may change meanwhile. */
export async function* baseFiles(pg: string): AsyncGenerator<{ file: BaseFile; content: AsyncIterable<Buffer> }> {
  for await (const path of walk(pg, "")) {
    if (path === control) continue;
    if (path.endsWith("/")) yield { file: { path, size: 0 }, content: nothing() };
    else yield* contentOf(pg, path);
  }
  for (const path of ["pg_wal/archive_status/", "pg_wal/summaries/"])
    yield { file: { path, size: 0 }, content: nothing() };
  yield* contentOf(pg, control);
}

async function* walk(pg: string, folder: string): AsyncGenerator<string> {
  const entries = await readdir(join(pg, folder), { withFileTypes: true }).catch(unlessMissing);
  for (const entry of entries ?? []) {
    const { name } = entry;
    const path = folder + name;
    if (temporary.test(name) || (folder === "" && leftOut.has(name))) continue;
    if (entry.isDirectory()) {
      yield `${path}/`;
      if (folder !== "" || !leftEmpty.has(name)) yield* walk(pg, `${path}/`);
    } else if (entry.isFile()) yield path;
  }
}

async function* contentOf(
  pg: string,
  path: string,
): AsyncGenerator<{ file: BaseFile; content: AsyncIterable<Buffer> }> {
  const handle = await open(join(pg, path), "r").catch(unlessMissing);
  // A table that was dropped meanwhile: the log says so.
  if (!handle) return;
  try {
    const { size } = await handle.stat();
    yield { file: { path, size }, content: exactly(handle, size) };
  } finally {
    await handle.close();
  }
}

/** What was cut off a file since it was opened is zeros: the log makes up for it. */
async function* exactly(handle: FileHandle, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; ) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, size - at));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) chunk.fill(0);
    const bytes = bytesRead === 0 ? chunk : chunk.subarray(0, bytesRead);
    at += bytes.length;
    yield bytes;
  }
}

async function* nothing(): AsyncGenerator<Buffer> {}

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
