import { isIP } from "node:net";
import { unquote } from "../dns-records.ts";

/** RFC 1035 §3.2.2, RFC 3596, RFC 2782, RFC 8945 §4.2 */
const types = { A: 1, CNAME: 5, SOA: 6, MX: 15, TXT: 16, AAAA: 28, SRV: 33, TSIG: 250, ANY: 255 } as const;
/** RFC 2136 §2.4, §2.5: IN adds a record, NONE removes one, ANY removes all of a type. */
const classes = { IN: 1, NONE: 254, ANY: 255 } as const;

export type RecordType = Exclude<keyof typeof types, "SOA" | "TSIG" | "ANY">;

export interface WireRecord {
  name: string;
  type: keyof typeof types;
  class: keyof typeof classes;
  /** In seconds; 0 for what is removed. */
  ttl: number;
  data: Buffer;
}

export class BadDnsName extends Error {}

export function u16(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(2 * numbers.length);
  for (const [at, number] of numbers.entries()) bytes.writeUInt16BE(number, 2 * at);
  return bytes;
}

/** A name, uncompressed and in lower case (RFC 1035 §3.1, RFC 8945 §4.2). Throws BadDnsName. */
export function wireName(name: string): Buffer {
  const plain = name.replace(/\.$/, "").toLowerCase();
  const labels = plain === "" ? [] : plain.split(".");
  const parts = labels.map((label) => {
    if (!/^[\x21-\x7e]{1,63}$/.test(label)) throw new BadDnsName(`not a name in DNS: ${name}`);
    return Buffer.concat([Buffer.from([label.length]), Buffer.from(label, "latin1")]);
  });
  const wire = Buffer.concat([...parts, Buffer.from([0])]);
  if (wire.length > 255) throw new BadDnsName(`not a name in DNS: ${name}`);
  return wire;
}

/** The data of a record, from its value as in a zone's file. */
export function recordData(type: RecordType, value: string): Buffer {
  const words = value.split(" ");
  switch (type) {
    case "A":
      return Buffer.from(value.split(".").map(Number));
    case "AAAA":
      return sixteen(value);
    case "CNAME":
      return wireName(value);
    case "MX":
      return Buffer.concat([u16(Number(words[0])), wireName(words[1]!)]);
    case "SRV":
      return Buffer.concat([u16(Number(words[0]), Number(words[1]), Number(words[2])), wireName(words[3]!)]);
    case "TXT":
      return textData(unquote(value).match(/.{1,255}/g) ?? [""]);
  }
}

/** RFC 1035 §3.3.14: the strings of one TXT record. */
export function textData(strings: readonly string[]): Buffer {
  return Buffer.concat(
    strings.map((text) => {
      const bytes = Buffer.from(text, "utf8");
      return Buffer.concat([Buffer.from([bytes.length]), bytes]);
    }),
  );
}

function sixteen(address: string): Buffer {
  if (isIP(address) !== 6) throw new BadDnsName(`not an IPv6 address: ${address}`);
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const [left, right] = [groups(head), groups(tail ?? "")];
  return u16(...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right);
}

export function wireRecord({ name, type, class: kind, ttl, data }: WireRecord): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(ttl);
  return Buffer.concat([wireName(name), u16(types[type], classes[kind]), length, u16(data.length), data]);
}

const updateFlags = 5 << 11;

/** RFC 2136 §2: the message that changes a zone, unsigned. */
export function updateMessage(id: number, zone: string, changes: readonly WireRecord[]): Buffer {
  const head = u16(id, updateFlags, 1, 0, changes.length, 0);
  return Buffer.concat([head, wireName(zone), u16(types.SOA, classes.IN), ...changes.map(wireRecord)]);
}

/** Where the last record of a message begins, which is that of its signature. Throws RangeError if the message is cut. */
export function lastRecordAt(message: Buffer): number {
  let at = 12;
  for (let left = message.readUInt16BE(4); left > 0; left--) at = afterName(message, at) + 4;
  let last = at;
  const records = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  for (let left = records; left > 0; left--) {
    last = at;
    const fields = afterName(message, at);
    at = fields + 10 + message.readUInt16BE(fields + 8);
  }
  return last;
}

/** The place behind a name, which may end in a pointer (RFC 1035 §4.1.4). */
export function afterName(message: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const length = message.readUInt8(at);
    if (length >= 0xc0) return at + 2;
    at += length + 1;
    if (length === 0) return at;
  }
}
