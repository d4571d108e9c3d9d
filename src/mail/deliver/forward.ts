import { normalizeAddress } from "../../base/address.ts";
import { parseHeader } from "../../mime/headers.ts";
import { headerEnd } from "../../mime/walk.ts";
import type { StoredBlob } from "../../store/blobs/blobs.ts";
import type { Tx } from "../../store/core/store.ts";
import type { IncomingRecipient } from "../../store/queues/incoming.ts";
import { withoutOrigin } from "../feedback/junk.ts";
import { enqueue, ofNoEmail } from "../submit/enqueue.ts";
import { requireTls } from "../submit/submit-parameters.ts";
import type { Arriving, IncomingOptions } from "./arriving.ts";

interface Forward {
  /** The account's address that leads elsewhere. */
  from: string;
  to: string[];
  blob: StoredBlob;
  /** Once it is queued. */
  submission?: number;
}

/** What an account sends on of a message. */
export interface Forwards {
  mails: readonly Forward[];
  /** Why not all is sent on that should be. */
  reasons: string[];
  /** Queues them, in the transaction that receives the message. */
  enqueue(tx: Tx): Promise<void>;
}

/**
 * docs/adr/0027-acceptance.md: the message as it came in, for the addresses elsewhere that the account's addresses lead to. What
 * is filed to Junk goes nowhere else, and what an address has sent on before is not sent on again.
 */
export async function forwardsOf(
  { forwards = [], requiresTls }: IncomingRecipient,
  { row, arrival }: Arriving,
  { isJunk, blobs }: Pick<IncomingOptions, "blobs"> & { isJunk: boolean },
): Promise<Forwards> {
  const before = forwards.length === 0 ? new Set() : deliveredTo(arrival.message);
  const due = isJunk ? [] : forwards.filter(({ from }) => !before.has(from));
  const mails: Forward[] = await Promise.all(
    due.map(async (one) => ({ ...one, blob: await blobs.putTogether(passedOn(arrival.message, one.from)) })),
  );
  const why = isJunk ? "not forwarded, since it is junk" : "not forwarded again, since it has come back";
  return {
    mails,
    reasons: due.length < forwards.length ? [why] : [],
    async enqueue(tx) {
      if (mails.length === 0) return;
      const ids = await tx.newIds(mails.length);
      const submissions = mails.map((mail, at) => {
        mail.submission = ids[at]!;
        const email = row.mailFrom === "" ? "" : mail.from;
        const mailFrom = { email, parameters: requiresTls ? { [requireTls]: null } : null };
        const rcptTo = mail.to.map((email) => ({ email, parameters: null }));
        const { blob } = mail;
        return {
          ...ofNoEmail,
          id: ids[at]!,
          envelope: { mailFrom, rcptTo },
          sendAt: tx.now,
          blob,
          isHidden: true as const,
        };
      });
      await enqueue(tx, submissions);
    },
  };
}

const ownFirst = /^Return-Path: <[^\r\n]*>\r\n/;

/** The message without what this server wrote for its own users alone, and with the address by which it goes on. */
function passedOn(message: Buffer, from: string): Buffer {
  const end = headerEnd(message);
  const header = message.toString("latin1", 0, end).replace(ownFirst, "");
  return Buffer.concat([
    Buffer.from(`Delivered-To: ${from}\r\n`),
    Buffer.from(withoutOrigin(header), "latin1"),
    message.subarray(end),
  ]);
}

/** The addresses by which the message was sent on. */
function deliveredTo(message: Buffer): Set<string> {
  const fields = parseHeader(message.subarray(0, headerEnd(message)), (name) => name.toLowerCase() === "delivered-to");
  return new Set(fields.flatMap(({ value }) => normalizeAddress(value.trim()) ?? []));
}
