import { encodeId } from "../../base/ids.ts";
import type { HeldPush } from "../../store/directory/push-subscriptions.ts";
import { type AccountStates, stateChange } from "../states.ts";
import { largestPlaintext } from "./encrypt.ts";

/** The letter of a PushSubscription's id. */
export const pushIdPrefix = "p";

export interface PushMessage {
  body: Buffer;
  /** RFC 8030 §5.3: what a device that saves its battery is woken for. */
  urgency: "high" | "normal";
  /** What a StateChange tells; undefined for a verification. */
  changed?: AccountStates;
}

/** RFC 8620 §7.2.2 */
export function verification({ id, verificationCode }: HeldPush): PushMessage {
  const content = {
    "@type": "PushVerification",
    pushSubscriptionId: encodeId(pushIdPrefix, id),
    verificationCode,
  };
  return { body: toBytes(content), urgency: "high" };
}

/** RFC 8620 §7.1: takes out of `pending` the accounts that one message has room for. */
export function takeChange(pending: AccountStates): PushMessage {
  const changed: AccountStates = new Map();
  let body = Buffer.alloc(0);
  let urgency: PushMessage["urgency"] = "normal";
  for (const [accountId, states] of pending) {
    changed.set(accountId, states);
    const longer = toBytes(stateChange(changed));
    if (changed.size > 1 && longer.length > largestPlaintext) {
      changed.delete(accountId);
      break;
    }
    body = longer;
    if (states.EmailDelivery !== undefined) urgency = "high";
    pending.delete(accountId);
  }
  return { body, urgency, changed };
}

function toBytes(content: object): Buffer<ArrayBuffer> {
  return Buffer.from(JSON.stringify(content));
}
