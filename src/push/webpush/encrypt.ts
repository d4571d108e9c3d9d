import { createCipheriv, createECDH, type ECDH, hkdfSync } from "node:crypto";
import type { Random } from "../../base/clock.ts";

/** The keys that a client gave for encrypting its pushes. */
export interface PushKeys {
  /** P-256 public key, uncompressed. */
  p256dh: Buffer;
  auth: Buffer;
}

const curve = "prime256v1";
const tagSize = 16;
/** Salt, record size, key length, key. */
const headerSize = 16 + 4 + 1 + 65;
const maxBody = 4096;
/** RFC 8291 §4: the body that every push service accepts, less header, padding delimiter and tag. */
export const maxPlaintext = maxBody - headerSize - 1 - tagSize;

/** Undefined if the texts are not keys of RFC 8291. */
export function readKeys(given: { p256dh: string; auth: string }): PushKeys | undefined {
  const p256dh = fromBase64url(given.p256dh);
  const auth = fromBase64url(given.auth);
  if (p256dh?.length !== 65 || p256dh[0] !== 4 || !auth || auth.length !== 16) return undefined;
  return isOnCurve(p256dh) ? { p256dh, auth } : undefined;
}

function fromBase64url(text: string): Buffer | undefined {
  return /^[A-Za-z0-9_-]+={0,2}$/.test(text) ? Buffer.from(text, "base64url") : undefined;
}

function isOnCurve(point: Buffer): boolean {
  try {
    const probe = createECDH(curve);
    probe.generateKeys();
    probe.computeSecret(point);
    return true;
  } catch {
    return false;
  }
}

/** RFC 8291: one aes128gcm record (RFC 8188), encrypted with a new key pair. */
export function encrypt(plaintext: Buffer, { p256dh, auth }: PushKeys, random: Random, sender = newPair()): Buffer {
  const salt = random(16);
  const senderKey = sender.getPublicKey();
  const secret = sender.computeSecret(p256dh);
  const keyInfo = Buffer.concat([Buffer.from("WebPush: info\0"), p256dh, senderKey]);
  const material = hkdf(secret, auth, keyInfo, 32);
  const key = hkdf(material, salt, Buffer.from("Content-Encoding: aes128gcm\0"), 16);
  const nonce = hkdf(material, salt, Buffer.from("Content-Encoding: nonce\0"), 12);
  const cipher = createCipheriv("aes-128-gcm", key, nonce);
  // The octet 2 delimits the last record.
  const record = Buffer.concat([cipher.update(plaintext), cipher.update(Buffer.from([2])), cipher.final()]);
  const header = Buffer.alloc(5);
  header.writeUInt32BE(maxBody, 0);
  header.writeUInt8(senderKey.length, 4);
  return Buffer.concat([salt, header, senderKey, record, cipher.getAuthTag()]);
}

function newPair(): ECDH {
  const pair = createECDH(curve);
  pair.generateKeys();
  return pair;
}

function hkdf(key: Buffer, salt: Buffer, info: Buffer, length: number): Buffer {
  return Buffer.from(hkdfSync("sha256", key, salt, info, length));
}
