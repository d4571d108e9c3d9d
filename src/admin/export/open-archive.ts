import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type Manifest, manifestName, NotAnArchive, parseManifest } from "./manifest.ts";
import { indexTar, type TarMember } from "./tar.ts";

/** An archive to be read: a folder, or a tar of one. */
export interface Archive {
  manifest: Manifest;
  /** Undefined when there is no such member. */
  size(name: string): Promise<number | undefined>;
  read(name: string): Readable;
  close(): Promise<void>;
}

type Members = Omit<Archive, "manifest">;

const pieceBytes = 256 * 1024;
const maxManifestBytes = 16_000_000;
/** A line of an object; an Email has addresses and subject of its header. */
const maxLineBytes = 32_000_000;

/** Throws NotAnArchive. */
export async function openArchive(path: string): Promise<Archive> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new NotAnArchive("there is no such file or folder");
  const members = found.isDirectory() ? inFolder(path) : await inTar(path);
  try {
    const size = await members.size(manifestName);
    if (size === undefined)
      throw new NotAnArchive("it has no manifest.json, which is written last: the export has not ended");
    if (size > maxManifestBytes) throw new NotAnArchive("its manifest.json is too large");
    const text = Buffer.concat(await members.read(manifestName).toArray()).toString();
    return { ...members, manifest: parseManifest(text) };
  } catch (error) {
    await members.close();
    throw error;
  }
}

function inFolder(folder: string): Members {
  return {
    size: async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined);
      return found?.isFile() ? found.size : undefined;
    },
    read: (name) => createReadStream(join(folder, name)),
    close: async () => {},
  };
}

/** Keeps about 200 octets of memory a message. */
async function inTar(path: string): Promise<Members> {
  const file = await open(path);
  const index = await indexTar(file).catch(async (error: unknown) => {
    await file.close();
    throw error;
  });
  // Made of the folder from above, it has the folder's name before each member's.
  const above = index.has(manifestName) ? "" : [...index.keys()].find((name) => name.endsWith(`/${manifestName}`));
  const folder = above?.slice(0, -manifestName.length) ?? "";
  const find = (name: string) => index.get(folder + name);
  return {
    size: async (name) => find(name)?.size,
    read: (name) => Readable.from(pieces(file, find(name)), { objectMode: false }),
    close: () => file.close(),
  };
}

async function* pieces(file: FileHandle, member: TarMember = { offset: 0, size: 0 }): AsyncGenerator<Buffer> {
  for (let at = 0; at < member.size; ) {
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, member.size - at));
    const { bytesRead } = await file.read(piece, 0, piece.length, member.offset + at);
    if (bytesRead === 0) throw new NotAnArchive("the tar ends in the middle");
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** The lines of a member, without their ends. */
export async function* linesOf(archive: Archive, name: string): AsyncGenerator<string> {
  if ((await archive.size(name)) === undefined) return;
  let rest: Buffer[] = [];
  let kept = 0;
  for await (const piece of archive.read(name) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, start)) {
      yield Buffer.concat([...rest, piece.subarray(start, end)]).toString();
      [rest, kept, start] = [[], 0, end + 1];
    }
    rest.push(piece.subarray(start));
    kept += piece.length - start;
    if (kept > maxLineBytes) throw new NotAnArchive(`a line of ${name} is too long`);
  }
  if (kept > 0) yield Buffer.concat(rest).toString();
}
