import { encodeId, idPrefix } from "../../base/ids.ts";
import type { Owner, PushSubscriptionRow } from "../../store/directory/push-subscriptions.ts";
import type { Call } from "../method.ts";

export function ownerOf({ login }: Call): Owner {
  return { login: login.login, userId: login.userId, credential: login.credential };
}

/** As the client sees it; `secretCode` is the code that the client must still return. */
export interface PushSubscriptionObject extends Record<string, unknown> {
  id: string;
  verificationCode: string | null;
  expires: string | null;
  types: string[] | null;
  secretCode: string;
}

export function toObject(row: PushSubscriptionRow): PushSubscriptionObject {
  const { deviceClientId, url, keys, verified, verificationCode, expiresAt, types } = row;
  return {
    id: encodeId(idPrefix.pushSubscription, row.id),
    deviceClientId,
    url,
    keys: keys && { p256dh: keys.p256dh.toString("base64url"), auth: keys.auth.toString("base64url") },
    verificationCode: verified ? verificationCode : null,
    expires: expiresAt && wholeSeconds(expiresAt),
    types,
    secretCode: verificationCode,
  };
}

export function wholeSeconds(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}
