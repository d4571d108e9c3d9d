import { Buffer } from "node:buffer";
import type { FileHandle } from "node:fs/promises";
import { NotAnArchive } from "./manifest.ts";

/** POSIX.1-1988 ustar: what every tar program writes or reads for short names. */
const block = 512;

export const tarEnd = Buffer.alloc(2 * block);
export const tarPadding = (size: number) => Buffer.alloc((block - (size % block)) % block);

/** The header of a file. Sizes of 8 GB and more are written in binary, as GNU tar and libarchive do. */
export function tarHeader(name: string, size: number, at: Date): Buffer {
  const header = Buffer.alloc(block);
  const put = (text: string, offset: number) => header.write(text, offset, "latin1");
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  if (Buffer.byteLength(name) > 100) throw new RangeError(`a name of more than 100 octets: ${name}`);
  put(name, 0);
  put(octal(0o600, 7), 100);
  put(octal(0, 7), 108);
  put(octal(0, 7), 116);
  if (size < 8 ** 11) put(octal(size, 11), 124);
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  put(octal(Math.floor(at.getTime() / 1000), 11), 136);
  put(" ".repeat(8), 148);
  put("0", 156);
  put("ustar\x0000", 257);
  put(`${octal(sumOf(header), 6)}\0 `, 148);
  return header;
}

const sumOf = (header: Uint8Array) => header.reduce((sum, octet) => sum + octet, 0);

export interface TarMember {
  offset: number;
  size: number;
}

/** Where each file of a tar begins: by reading the headers alone. Throws NotAnArchive for what is no whole tar. */
export async function indexTar(file: FileHandle): Promise<Map<string, TarMember>> {
  const members = new Map<string, TarMember>();
  const { size: end } = await file.stat();
  const header = Buffer.alloc(block);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(header, 0, block, at);
    if (bytesRead < block) throw new NotAnArchive("the tar ends in the middle");
    if (header.every((octet) => octet === 0)) return members;
    const { name, size, type } = readHeader(header);
    const offset = at + block;
    at = offset + Math.ceil(size / block) * block;
    if (at > end) throw new NotAnArchive("the tar ends in the middle");
    // Others (folders, times and names in long form) say nothing of our members, whose names are short.
    if (type === "0" || type === "\0") members.set(name, { offset, size });
  }
}

function readHeader(header: Buffer): { name: string; size: number; type: string } {
  const field = (offset: number, length: number) =>
    header
      .toString("latin1", offset, offset + length)
      .replace(/\0.*$/s, "")
      .trim();
  const sum = Number.parseInt(field(148, 8), 8);
  const blank = Buffer.from(header).fill(" ", 148, 156);
  if (sum !== sumOf(blank)) throw new NotAnArchive("it is neither a folder nor a tar");
  const size = header[124] === 0x80 ? Number(header.readBigUInt64BE(128)) : Number.parseInt(field(124, 12) || "0", 8);
  const prefix = field(257, 5) === "ustar" ? field(345, 155) : "";
  const name = (prefix === "" ? field(0, 100) : `${prefix}/${field(0, 100)}`).replace(/^\.\//, "");
  return { name, size, type: String.fromCharCode(header[156]!) };
}
