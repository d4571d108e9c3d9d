import { encodeId, idPrefix } from "../../base/ids.ts";
import type { HeldPush } from "../../store/directory/push-subscriptions.ts";
import { type AccountStates, stateChange } from "../states.ts";
import { maxPlaintext } from "./encrypt.ts";

export interface PushMessage {
  body: Buffer;
  /** RFC 8030 §5.3: whether the push may wake a device that saves its battery. */
  urgency: "high" | "normal";
  /** The states in a StateChange; undefined for a verification. */
  changed?: AccountStates;
}

/** RFC 8620 §7.2.2 */
export function verification({ id, verificationCode }: HeldPush): PushMessage {
  const content = {
    "@type": "PushVerification",
    pushSubscriptionId: encodeId(idPrefix.pushSubscription, id),
    verificationCode,
  };
  return { body: toBytes(content), urgency: "high" };
}

/** RFC 8620 §7.1: removes from `pending` as many accounts as fit into one message. */
export function takeChange(pending: AccountStates): PushMessage {
  const changed: AccountStates = new Map();
  let body = Buffer.alloc(0);
  let urgency: PushMessage["urgency"] = "normal";
  for (const [accountId, states] of pending) {
    changed.set(accountId, states);
    const longer = toBytes(stateChange(changed));
    if (changed.size > 1 && longer.length > maxPlaintext) {
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
