import type { Tx } from "../../store/core/store.ts";
import { holdMail } from "../../store/queues/held-senders.ts";
import { sentSince } from "../../store/queues/sent-hours.ts";
import { judgeReturns, type Passed, returnsForMs } from "./lines.ts";

/** Holds the account's mail; resolves with the number of deliveries that waited already. */
export function holdFor(tx: Tx, { reason, text }: Passed): Promise<number> {
  return holdMail(tx, { at: tx.now.toISOString(), reason, text, isTold: false });
}

/** Call it when hard bounces or complaints were added: stops the account if they pass a line. */
export async function judgeAccount(tx: Tx): Promise<void> {
  if (tx.sending.hold) return;
  const passed = judgeReturns(await sentSince(tx, new Date(tx.now.getTime() - returnsForMs)));
  if (passed) await holdFor(tx, passed);
}
