import { existsSync, readFileSync } from "node:fs";
import type { Counts, Statistics } from "./bayes.ts";

/** What all accounts start from. */
export interface Base extends Statistics {
  /** How much rather a mail with these tokens is spam than not, in logarithms of the odds: a logistic regression. */
  leaning(tokens: readonly number[]): number;
}

/** Of a token: its counts, and its weight in the regression. */
export interface BaseRow extends Counts {
  weight: number;
}

/** Made by scripts/spam-base.ts; as far from here in the sources as in the build. */
const file = new URL("../../../assets/spam-base.bin", import.meta.url);
/** A row: the token in 4 octets, in how many mails of each kind it was, 2 octets each, and its weight in thousandths, 2 octets. */
const rowOctets = 10;
const headOctets = 8;
const weightUnit = 1_000;
const maxWeight = 32;

/** The statistics of a public collection; none when the file is missing. Read once. */
export function baseStatistics(): Base {
  loaded ??= existsSync(file) ? readBase(readFileSync(file)) : noBase;
  return loaded;
}
const noBase: Base = { mails: { ham: 0, spam: 0 }, of: () => undefined, leaning: () => 0 };
let loaded: Base | undefined;

/** The numbers of mails of each kind, then rows in the order of their tokens. */
export function readBase(bytes: Buffer): Base {
  const rows = (bytes.length - headOctets) / rowOctets;
  const tokens = Int32Array.from({ length: rows }, (_, row) => bytes.readInt32LE(headOctets + row * rowOctets));
  const rowOf = (token: number): BaseRow | undefined => {
    let [low, high] = [0, rows];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (tokens[middle]! < token) low = middle + 1;
      else high = middle;
    }
    if (tokens[low] !== token) return undefined;
    const at = headOctets + low * rowOctets + 4;
    return {
      ham: bytes.readUInt16LE(at),
      spam: bytes.readUInt16LE(at + 2),
      weight: bytes.readInt16LE(at + 4) / weightUnit,
    };
  };
  return {
    mails: { ham: bytes.readInt32LE(0), spam: bytes.readInt32LE(4) },
    of: rowOf,
    leaning: (all) => leaning(all.flatMap((token) => rowOf(token)?.weight ?? [])),
  };
}

/** A long mail has no more weight than a short one. */
function leaning(weights: readonly number[]): number {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.length === 0 ? 0 : sum / Math.sqrt(weights.length);
}

/** The file of these rows; their counts are each below 65,536. */
export function writeBase(mails: Counts, all: ReadonlyMap<number, BaseRow>): Buffer {
  const rows = [...all].sort(([a], [b]) => a - b);
  const bytes = Buffer.alloc(headOctets + rows.length * rowOctets);
  bytes.writeInt32LE(mails.ham, 0);
  bytes.writeInt32LE(mails.spam, 4);
  rows.forEach(([token, { ham, spam, weight }], row) => {
    const at = headOctets + row * rowOctets;
    bytes.writeInt32LE(token, at);
    bytes.writeUInt16LE(ham, at + 4);
    bytes.writeUInt16LE(spam, at + 6);
    bytes.writeInt16LE(Math.round(Math.max(-maxWeight, Math.min(maxWeight, weight)) * weightUnit), at + 8);
  });
  return bytes;
}
