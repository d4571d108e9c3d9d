import { isIP } from "node:net";
import { splitAddress } from "../../../base/address.ts";

export const poolClasses = ["personal", "bulk", "suspicious"] as const;
/** What kind of mail an address is for. */
export type PoolClass = (typeof poolClasses)[number];

/** An address of this machine that mail leaves from. */
export interface Source {
  address: string;
  /** Its name in EHLO. */
  name: string;
}

export interface PooledAddress extends Source {
  pool: PoolClass;
  /** How long its warm-up takes from the first mail on; 0: it is warm. */
  weeks: number;
}

export class BadPools extends Error {}

const usualWeeks = 4;

/**
 * Reads a file of pools: on each line a class, an address, its name in EHLO, and perhaps its warm-up, "2w" to "6w" or "warm"
 * (default 4w). What follows # is a comment. Throws BadPools, which names the line.
 */
export function readPools(text: string): PooledAddress[] {
  const found = new Map<string, PooledAddress>();
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    const words = line.replace(/#.*/, "").trim().split(/\s+/);
    if (words[0] === "") continue;
    const one = readLine(words, (why) => new BadPools(`line ${at + 1}: ${why}`));
    if (found.has(one.address)) throw new BadPools(`line ${at + 1}: ${one.address} is in a pool already`);
    found.set(one.address, one);
  }
  if (found.size === 0) throw new BadPools("it names no address");
  return [...found.values()];
}

function readLine(
  [pool, address = "", name = "", warmUp = `${usualWeeks}w`, ...more]: string[],
  bad: (why: string) => Error,
) {
  if (!poolClasses.some((one) => one === pool)) throw bad(`"${pool}" is none of ${poolClasses.join(", ")}`);
  if (isIP(address) === 0) throw bad(`"${address}" is not an IP address`);
  if (splitAddress(`x@${name}`) === undefined || !name.includes(".")) throw bad(`"${name}" is not a host name`);
  const weeks = /^([2-6])w$/.exec(warmUp)?.[1];
  if (weeks === undefined && warmUp !== "warm") throw bad(`"${warmUp}" is neither 2w to 6w nor warm`);
  if (more.length > 0) throw bad("it has more than four words");
  return {
    pool: pool as PoolClass,
    address: address.toLowerCase(),
    name: name.toLowerCase(),
    weeks: Number(weeks ?? 0),
  };
}
