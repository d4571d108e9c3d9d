import { createHmac, timingSafeEqual } from "node:crypto";
import { afterName, lastRecordAt, u16, wireName, wireRecord } from "./wire.ts";

/** RFC 8945 §6, those that are strong enough. */
const hashes = { "hmac-sha256": "sha256", "hmac-sha384": "sha384", "hmac-sha512": "sha512" } as const;
type Algorithm = keyof typeof hashes;

/** A secret that the zone's server shares. */
export interface TsigKey {
  name: string;
  algorithm: Algorithm;
  secret: Buffer;
}

/** The text is no key that can be used. */
export class BadTsigKey extends Error {}

/** Reads a key as BIND (tsig-keygen) and Knot (keymgr -t) print it. Throws BadTsigKey. */
export function readTsigKey(text: string): TsigKey {
  const name = (/\bkey\s+"?([^\s"{;]+)"?\s*\{/.exec(text) ?? /\bid:\s*"?([^\s"]+)/.exec(text))?.[1];
  const algorithm = /\balgorithm:?\s+"?([a-z0-9-]+)/i.exec(text)?.[1]?.toLowerCase();
  const secret = /\bsecret:?\s+"?([A-Za-z0-9+/=]+)/.exec(text)?.[1];
  if (name === undefined || algorithm === undefined || secret === undefined) {
    throw new BadTsigKey('it has no key such as: key "posthorn" { algorithm hmac-sha256; secret "…"; };');
  }
  if (!(algorithm in hashes)) {
    throw new BadTsigKey(`its algorithm is ${algorithm}; make a key with ${Object.keys(hashes).join(", ")}`);
  }
  return { name, algorithm: algorithm as Algorithm, secret: Buffer.from(secret, "base64") };
}

/** How far the clocks may differ, in seconds (RFC 8945 §10). */
const fudge = 300;

interface Stamp {
  seconds: number;
  fudge: number;
  error: number;
  other: Buffer;
}

/** RFC 8945 §4.2, §4.3: the message with its signature, and the signature alone, which that of the answer covers. */
export function signed(message: Buffer, key: TsigKey, now: Date): { message: Buffer; mac: Buffer } {
  const stamp = { seconds: Math.floor(now.getTime() / 1000), fudge, error: 0, other: Buffer.alloc(0) };
  const mac = macOf([message], key, stamp);
  const data = Buffer.concat([
    ...[wireName(key.algorithm), time(stamp.seconds), u16(fudge, mac.length), mac],
    u16(message.readUInt16BE(0), 0, 0),
  ]);
  const record = wireRecord({ name: key.name, type: "TSIG", class: "ANY", ttl: 0, data });
  const whole = Buffer.concat([message, record]);
  whole.writeUInt16BE(message.readUInt16BE(10) + 1, 10);
  return { message: whole, mac };
}

function macOf(parts: readonly Buffer[], key: TsigKey, { seconds, fudge: allowed, error, other }: Stamp): Buffer {
  const hmac = createHmac(hashes[key.algorithm], key.secret);
  for (const part of parts) hmac.update(part);
  const head = [wireName(key.name), u16(255, 0, 0), wireName(key.algorithm), time(seconds)];
  return hmac.update(Buffer.concat([...head, u16(allowed, error, other.length), other])).digest();
}

function time(seconds: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(seconds, 0, 6);
  return bytes;
}

/** RFC 8945 §5.3: whether the answer to the message with this signature was signed with the key, about now. */
export function isSigned(answer: Buffer, key: TsigKey, { mac, now }: { mac: Buffer; now: Date }): boolean {
  try {
    const start = lastRecordAt(answer);
    const fields = afterName(answer, start);
    if (answer.readUInt16BE(fields) !== 250) return false;
    const inData = afterName(answer, fields + 10);
    const seconds = answer.readUIntBE(inData, 6);
    const size = answer.readUInt16BE(inData + 8);
    const given = answer.subarray(inData + 10, inData + 10 + size);
    const behind = inData + 10 + size;
    const otherSize = answer.readUInt16BE(behind + 4);
    const stamp = {
      seconds,
      fudge: answer.readUInt16BE(inData + 6),
      error: answer.readUInt16BE(behind + 2),
      other: answer.subarray(behind + 6, behind + 6 + otherSize),
    };
    const plain = Buffer.from(answer.subarray(0, start));
    plain.writeUInt16BE(answer.readUInt16BE(behind), 0);
    plain.writeUInt16BE(answer.readUInt16BE(10) - 1, 10);
    const wanted = macOf([u16(mac.length), mac, plain], key, stamp);
    const isInTime = Math.abs(now.getTime() / 1000 - seconds) <= fudge;
    return isInTime && given.length === wanted.length && timingSafeEqual(given, wanted);
  } catch (error) {
    // It is cut.
    if (error instanceof RangeError) return false;
    throw error;
  }
}
