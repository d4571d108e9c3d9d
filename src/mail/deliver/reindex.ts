import type { Log } from "../../base/log.ts";
import { tsvectorTexts } from "../../search/terms.ts";
import type { Blobs } from "../../store/blobs/blobs.ts";
import { AccountMissing, BlobMissing } from "../../store/core/errors.ts";
import { isRetryable } from "../../store/core/loss.ts";
import type { Store } from "../../store/core/store.ts";
import { countOldTerms, findOldTerms, type MessageTerms, replaceTerms } from "../../store/mail/search-terms.ts";
import { prepare } from "./preparer.ts";

/** One transaction handles at most this many messages, or this many octets. */
const maxMessages = 50;
const maxOctets = 4_000_000;

export interface Reindexing {
  done: number;
  /** Messages whose body is missing; they keep their old terms. */
  missing: number;
  /** Messages that could not be read, or whose terms could not be made or stored; they keep their old terms. */
  failed: number;
}

interface Options {
  store: Store;
  blobs: Pick<Blobs, "readObject">;
  log: Log;
}

type OldMessage = Awaited<ReturnType<typeof findOldTerms>>[number];

/**
 * Makes the search terms of an account's messages again from their bodies if they are of an older version, newest
 * first. May run beside a server, be interrupted and run again: finished messages stay finished. Ends if the account is
 * removed meanwhile.
 */
export async function reindexAccount(
  options: Options,
  accountId: number,
  tell: (done: number, of: number) => void,
): Promise<Reindexing> {
  const reader = options.store.reader(accountId, "server");
  const count = await countOldTerms(reader);
  const result: Reindexing = { done: 0, missing: 0, failed: 0 };
  for (let below = Number.MAX_SAFE_INTEGER; ; ) {
    const found = await findOldTerms(reader, below, maxMessages);
    if (found.length === 0) return result;
    const terms: MessageTerms[] = [];
    for (let octets = 0; found.length > 0 && octets < maxOctets; ) {
      tell(result.done + result.missing + result.failed + terms.length, count);
      const message = found.shift()!;
      below = message.no;
      octets += message.size;
      const made = await makeTerms(options, accountId, message);
      if (typeof made === "string") result[made]++;
      else terms.push(made);
    }
    try {
      const failed = await writeTerms(options, accountId, terms);
      result.failed += failed;
      result.done += terms.length - failed;
    } catch (error) {
      if (error instanceof AccountMissing) return result;
      throw error;
    }
  }
}

async function makeTerms(
  { blobs, log }: Options,
  accountId: number,
  { no, ...blob }: OldMessage,
): Promise<MessageTerms | "missing" | "failed"> {
  try {
    const { terms } = await prepare(await blobs.readObject(blob));
    return { no, terms: tsvectorTexts(terms, accountId) };
  } catch (error) {
    if (error instanceof BlobMissing) return "missing";
    log.error({ account: accountId, message: no, err: error }, "search terms not made");
    return "failed";
  }
}

/** Returns how many terms were refused. A refused one must not fail those written with it. */
async function writeTerms(options: Options, accountId: number, terms: MessageTerms[]): Promise<number> {
  if (terms.length === 0) return 0;
  const { store, log } = options;
  try {
    await store.write(accountId, "server", (tx) => replaceTerms(tx, terms));
    return 0;
  } catch (error) {
    if (error instanceof AccountMissing || isRetryable(error)) throw error;
    if (terms.length === 1) {
      log.error({ account: accountId, message: terms[0]!.no, err: error }, "search terms not stored");
      return 1;
    }
  }
  let failed = 0;
  for (const one of terms) failed += await writeTerms(options, accountId, [one]);
  return failed;
}
