import { promisify } from "node:util";
import { gunzip, inflateRaw } from "node:zlib";

/** The attachment is no report: damaged, of another kind, or larger than any report. */
export class BadReport extends Error {}

/** Of an attachment as it came, and of what is in it. The largest real reports have a few megabytes. */
export const maxPacked = 5_000_000;
const maxUnpacked = 10_000_000;

const options = { maxOutputLength: maxUnpacked };

/** The one file in a gzip or zip, or the bytes themselves, by their beginning; whatever it claims, no more than so much. Throws BadReport. */
export async function unpack(bytes: Buffer): Promise<Buffer> {
  if (bytes.length > maxPacked) throw new BadReport("the attachment is too large");
  try {
    if (bytes.readUInt16BE(0) === 0x1f8b) return await promisify(gunzip)(bytes, options);
    if (bytes.readUInt32LE(0) === signature.file) return await unzip(bytes);
    return bytes;
  } catch (error) {
    if (error instanceof BadReport) throw error;
    throw new BadReport(`the attachment can't be unpacked: ${(error as Error).message}`);
  }
}

const signature = { file: 0x04034b50, directory: 0x02014b50, end: 0x06054b50 };
const endLength = 22;

/** APPNOTE 4.3.6: its first entry, found by the directory, since a header may leave out the sizes. */
async function unzip(bytes: Buffer): Promise<Buffer> {
  let end = bytes.length - endLength;
  const least = Math.max(0, end - 0xffff);
  while (end >= least && bytes.readUInt32LE(end) !== signature.end) end--;
  if (end < least) throw new BadReport("a zip without a directory");
  const at = bytes.readUInt32LE(end + 16);
  if (bytes.readUInt32LE(at) !== signature.directory) throw new BadReport("a zip without a directory");
  const [flags, method] = [bytes.readUInt16LE(at + 8), bytes.readUInt16LE(at + 10)];
  const [packed, size, local] = [bytes.readUInt32LE(at + 20), bytes.readUInt32LE(at + 24), bytes.readUInt32LE(at + 42)];
  if ((flags & 1) !== 0) throw new BadReport("a zip with a password");
  if (size > maxUnpacked) throw new BadReport("the report is too large");
  if (bytes.readUInt32LE(local) !== signature.file) throw new BadReport("a zip whose entry is not there");
  const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
  const content = bytes.subarray(start, start + packed);
  if (content.length !== packed) throw new BadReport("a zip that ends early");
  if (method === 0) return content;
  if (method !== 8) throw new BadReport("a zip of an unusual method");
  return promisify(inflateRaw)(content, options);
}
