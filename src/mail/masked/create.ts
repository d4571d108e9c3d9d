import { splitAddress } from "../../base/address.ts";
import type { Random } from "../../base/clock.ts";
import type { Tx } from "../../store/core/store.ts";
import {
  addMaskedAddresses,
  type MaskedAddress,
  type NewMaskedAddress,
} from "../../store/directory/masked-addresses.ts";

/** Of one account. */
export const maxMaskedAddresses = 1_000;
export const maxLabelLength = 200;

const consonants = "bdfghjklmnprstvz";
const vowels = "aeio";
const syllables = 4;
const digits = 5;
const maxTries = 20;

/** A name that can be said and typed, such as "kelovita.40217": 40 bits that nobody guesses. */
export function maskedName(random: Random): string {
  const bytes = random(syllables + digits);
  const syllable = (byte: number) => consonants[byte & 15]! + vowels[(byte >> 4) & 3]!;
  // 250 of 256: the few that are over make some digits a little more likely, which costs no bit.
  const digit = (byte: number) => String(byte % 10);
  const [word, number] = [bytes.subarray(0, syllables), bytes.subarray(syllables)];
  return `${[...word].map(syllable).join("")}.${[...number].map(digit).join("")}`;
}

/** Makes addresses in the domain for the account, in this order. */
export async function createMaskedAddresses(
  tx: Tx,
  wanted: readonly Pick<MaskedAddress, "id" | "label" | "state">[],
  { domain, random }: { domain: string; random: Random },
): Promise<NewMaskedAddress[]> {
  const added = new Map<number, NewMaskedAddress>();
  for (let tries = 0; added.size < wanted.length; tries++) {
    if (tries > maxTries) throw new Error("no free masked address was found");
    const missing = wanted.filter(({ id }) => !added.has(id));
    const rows = missing.map((one) => ({ ...one, email: `${maskedName(random)}@${domain}` }));
    for (const row of await addMaskedAddresses(tx, rows)) added.set(row.id, row);
  }
  return wanted.map(({ id }) => added.get(id)!);
}

/** In which domain an account with this main address gets its masked addresses. */
export const maskedDomain = (address: string) => splitAddress(address)!.domain;
