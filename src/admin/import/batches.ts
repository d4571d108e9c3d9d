import type { SourceItem, SourceMail } from "./source.ts";

/** One transaction takes so many mails at most, or octets. */
const maxMails = 100;
const maxOctets = 4_000_000;

export type Batch = { kind: "mails"; mails: SourceMail[] } | Exclude<SourceItem, SourceMail>;

/** Puts mails that follow each other together. */
export async function* batches(items: AsyncIterable<SourceItem>): AsyncGenerator<Batch> {
  let mails: SourceMail[] = [];
  let octets = 0;
  for await (const item of items) {
    if (item.kind !== "mail") {
      // A list of failures may wait; what changes the account may not overtake mails.
      if (mails.length > 0 && item.kind !== "failed" && item.kind !== "left") {
        yield { kind: "mails", mails };
        [mails, octets] = [[], 0];
      }
      yield item;
      continue;
    }
    mails.push(item);
    octets += item.raw?.length ?? 0;
    if (mails.length < maxMails && octets < maxOctets) continue;
    yield { kind: "mails", mails };
    [mails, octets] = [[], 0];
  }
  if (mails.length > 0) yield { kind: "mails", mails };
}
