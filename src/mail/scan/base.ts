import { existsSync, readFileSync } from "node:fs";
import type { Counts, Statistics } from "./bayes.ts";

/** Made by scripts/spam-base.ts; as far from here in the sources as in the build. */
const file = new URL("../../../assets/spam-base.bin", import.meta.url);
/** A row: the token in 4 octets, then in how many mails of each kind it was, 2 octets each. */
const rowOctets = 8;
const headOctets = 8;

/** The counts of a public collection that all accounts start from; none when the file is missing. Read once. */
export function baseStatistics(): Statistics {
  loaded ??= existsSync(file) ? readBase(readFileSync(file)) : nothing;
  return loaded;
}
const nothing: Statistics = { mails: { ham: 0, spam: 0 }, of: () => undefined };
let loaded: Statistics | undefined;

/** The numbers of mails of each kind, then rows in the order of their tokens. */
export function readBase(bytes: Buffer): Statistics {
  const rows = (bytes.length - headOctets) / rowOctets;
  const tokens = Int32Array.from({ length: rows }, (_, row) => bytes.readInt32LE(headOctets + row * rowOctets));
  const countsAt = (row: number): Counts => {
    const at = headOctets + row * rowOctets + 4;
    return { ham: bytes.readUInt16LE(at), spam: bytes.readUInt16LE(at + 2) };
  };
  const of = (token: number) => {
    let [low, high] = [0, rows];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (tokens[middle]! < token) low = middle + 1;
      else high = middle;
    }
    return tokens[low] === token ? countsAt(low) : undefined;
  };
  return { mails: { ham: bytes.readInt32LE(0), spam: bytes.readInt32LE(4) }, of };
}

/** The file of these counts, each below 65,536. */
export function writeBase(mails: Counts, counts: ReadonlyMap<number, Counts>): Buffer {
  const rows = [...counts].sort(([a], [b]) => a - b);
  const bytes = Buffer.alloc(headOctets + rows.length * rowOctets);
  bytes.writeInt32LE(mails.ham, 0);
  bytes.writeInt32LE(mails.spam, 4);
  rows.forEach(([token, { ham, spam }], row) => {
    const at = headOctets + row * rowOctets;
    bytes.writeInt32LE(token, at);
    bytes.writeUInt16LE(ham, at + 4);
    bytes.writeUInt16LE(spam, at + 6);
  });
  return bytes;
}
