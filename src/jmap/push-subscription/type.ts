import { idPrefix } from "../../base/ids.ts";
import { findPushSubscriptions } from "../../store/directory/push-subscriptions.ts";
import { capabilities } from "../capability-names.ts";
import type { Call } from "../method.ts";
import { list, matching, nullable, object, storableUpTo, text, utcDate } from "../schema.ts";
import type { JmapObject, RecordType } from "../standard/type.ts";
import { hooks } from "./hooks.ts";
import { ownerOf, toObject } from "./row.ts";

/** RFC 8620 §7.2: belongs to a login, and to the credential of it that created it. */
export const pushSubscription = {
  name: "PushSubscription",
  capability: capabilities.core,
  prefix: idPrefix.pushSubscription,
  properties: {
    deviceClientId: { schema: matching("^[^\\u0000]{1,1000}$"), immutable: true },
    url: { schema: storableUpTo(8000), immutable: true, onRequest: true },
    keys: { schema: nullable(object({ p256dh: text, auth: text })), immutable: true, default: null, onRequest: true },
    verificationCode: { schema: nullable(text), default: null },
    expires: { schema: nullable(utcDate), default: null },
    types: { schema: nullable(list(storableUpTo(100), { maxItems: 100 })), default: null },
  },
  async fetch(ids, { limit }, call): Promise<JmapObject[]> {
    const { store, clock } = call.services;
    return (await findPushSubscriptions(store.database, ownerOf(call), { ids, limit, now: clock.now() })).map(toObject);
  },
  set: hooks,
} satisfies RecordType<Call> & { name: string; capability: string; set: object };
