import { createCipheriv, createDecipheriv } from "node:crypto";
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import type { Random } from "../base/clock.ts";
import { DamagedBackup } from "./backup-error.ts";
import type { BackupKey } from "./key.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** What every sealed file begins with. */
const magic = Buffer.from("PHB1");
const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = magic.length + saltBytes + nonceBytes;
/** Far more than any file of a backup holds. */
const maxPlainBytes = 2 ** 30;

/**
 * Compresses and encrypts one file of a backup with AES-256-GCM: `PHB1`, 16 bytes from which and from the name its key is
 * made, a nonce, the ciphertext, the tag. So neither a changed file nor one under another name can be opened.
 */
export async function seal(key: BackupKey, name: string, plain: Uint8Array, random: Random): Promise<Buffer> {
  const packed = await compress(plain, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  const [salt, nonce] = [random(saltBytes), random(nonceBytes)];
  const cipher = createCipheriv("aes-256-gcm", keyOf(key, salt, name), nonce);
  const body = [cipher.update(packed), cipher.final()];
  return Buffer.concat([magic, salt, nonce, ...body, cipher.getAuthTag()]);
}

/** Throws DamagedBackup unless it is what was sealed under this name. */
export async function open(key: BackupKey, name: string, sealed: Buffer): Promise<Buffer> {
  if (sealed.length < headBytes + tagBytes) throw new DamagedBackup(name, "is cut off");
  const salt = sealed.subarray(magic.length, magic.length + saltBytes);
  const nonce = sealed.subarray(magic.length + saltBytes, headBytes);
  try {
    if (!sealed.subarray(0, magic.length).equals(magic)) throw new Error("another beginning");
    const decipher = createDecipheriv("aes-256-gcm", keyOf(key, salt, name), nonce);
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    const packed = Buffer.concat([decipher.update(sealed.subarray(headBytes, -tagBytes)), decipher.final()]);
    return await decompress(packed, { maxOutputLength: maxPlainBytes });
  } catch {
    throw new DamagedBackup(name, "is not as it was written");
  }
}

const keyOf = (key: BackupKey, salt: Uint8Array, name: string): Buffer => key.derive("file", salt, Buffer.from(name));
