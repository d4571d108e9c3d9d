import type { Blobs } from "../store/blobs.ts";
import { BlobMissing } from "../store/errors.ts";
import { countOldTerms, findOldTerms, replaceTerms } from "../store/search-terms.ts";
import type { Store } from "../store/store.ts";
import { prepare } from "./preparer.ts";
import { tsvectorTexts } from "./terms.ts";

/** A transaction holds the account for so many messages, or until they have so many octets. */
const mostMessages = 50;
const mostOctets = 4_000_000;

export interface Reindexing {
  done: number;
  /** Messages whose body is not to be found: they keep the terms they have. */
  missing: number;
}

/**
 * Makes the search terms of an account's messages anew, from their bodies, where they are of an older version; the newest
 * first. May run beside a server, end at any time and be run again: what is done stays done.
 */
export async function reindexAccount(
  { store, blobs }: { store: Store; blobs: Pick<Blobs, "readObject"> },
  accountId: number,
  tell: (done: number, of: number) => void,
): Promise<Reindexing> {
  const reader = store.reader(accountId);
  const count = await countOldTerms(reader);
  const result: Reindexing = { done: 0, missing: 0 };
  for (let below = Number.MAX_SAFE_INTEGER; ; ) {
    const found = await findOldTerms(reader, below, mostMessages);
    if (found.length === 0) return result;
    const terms: { no: number; terms: string[] }[] = [];
    for (let octets = 0; found.length > 0 && octets < mostOctets; ) {
      tell(result.done + result.missing + terms.length, count);
      const { no, ...blob } = found.shift()!;
      below = no;
      octets += blob.size;
      const body = await readBody(blobs, blob);
      if (body) terms.push({ no, terms: tsvectorTexts((await prepare(body)).terms, accountId) });
      else result.missing++;
    }
    if (terms.length > 0) await store.write(accountId, (tx) => replaceTerms(tx, terms));
    result.done += terms.length;
  }
}

async function readBody(blobs: Pick<Blobs, "readObject">, blob: Parameters<Blobs["readObject"]>[0]) {
  try {
    return await blobs.readObject(blob);
  } catch (error) {
    if (error instanceof BlobMissing) return undefined;
    throw error;
  }
}
