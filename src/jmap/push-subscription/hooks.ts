import { type PushKeys, readKeys } from "../../push/webpush/encrypt.ts";
import {
  addPushSubscription,
  countPushSubscriptions,
  removePushSubscriptions,
  updatePushSubscription,
} from "../../store/directory/push-subscriptions.ts";
import { SetError, tooMany } from "../errors.ts";
import type { Call } from "../method.ts";
import { Faults, refuse } from "../standard/faults.ts";
import type { CreateRecord, JmapObject, SetHooks, UpdateRecord } from "../standard/type.ts";
import { ownerOf, type PushSubscriptionObject, wholeSeconds } from "./row.ts";

const dayMs = 24 * 3_600_000;
/** RFC 8620 §7.2 wants at least seven days to be allowed: a phone may refresh a subscription only when it is used. */
const maxLifeMs = 30 * dayMs;
const defaultLifeMs = 7 * dayMs;
/** RFC 8620 §8.6 */
const maxOfLogin = 100;

/** When it ends, in whole seconds. A credential that expires sets no bound. Undefined for the past or an invalid time. */
function expiryOf(wish: string | null, { login, services }: Call): Date | null | undefined {
  const now = services.clock.now().getTime();
  if (wish === null) return login.credentialExpiresAt ? null : wholeDate(now + defaultLifeMs);
  const wanted = Date.parse(wish);
  if (!(wanted > now)) return undefined;
  return wholeDate(login.credentialExpiresAt ? wanted : Math.min(wanted, now + maxLifeMs));
}

function wholeDate(time: number): Date {
  return new Date(Math.floor(time / 1000) * 1000);
}

/** Reports the expiry, unless the client asked for exactly that. */
function tellExpiry(record: CreateRecord | UpdateRecord, expires: Date | null, asked: unknown): void {
  const text = expires && wholeSeconds(expires);
  if (text !== asked) record.response = { expires: text };
}

function checkCreate(record: CreateRecord, call: Call): void {
  const { url, keys, verificationCode, expires } = record.after as Partial<JmapObject & PushSubscriptionObject>;
  const faults = new Faults();
  const refusal = url === undefined ? undefined : call.services.webPush.refusal(url as string);
  if (refusal !== undefined) faults.add("url", refusal);
  if (keys && !readKeys(keys as { p256dh: string; auth: string })) {
    faults.add("keys", "are not a P-256 public key and a secret of 16 octets");
  }
  if ((verificationCode ?? null) !== null) faults.add("verificationCode", "is set by the server");
  if (expires !== undefined && expiryOf(expires, call) === undefined) faults.add("expires", "is past");
  refuse(record, faults.error());
}

function checkUpdate(record: UpdateRecord, call: Call): void {
  const { secretCode } = record.before as PushSubscriptionObject;
  const { verificationCode, expires } = record.after as PushSubscriptionObject;
  const faults = new Faults();
  if (record.changed.has("verificationCode") && verificationCode !== secretCode) {
    faults.add("verificationCode", "is not the code that was pushed");
  }
  if (record.changed.has("expires") && expiryOf(expires, call) === undefined) faults.add("expires", "is past");
  refuse(record, faults.error());
}

/** Refuses records beyond the limit of subscriptions, or of new ones in a period. */
async function checkNumber(records: CreateRecord[], call: Call): Promise<void> {
  if (records.length === 0) return;
  const { store, clock, webPush } = call.services;
  let left = maxOfLogin - (await countPushSubscriptions(store.database, ownerOf(call), clock.now()));
  for (const record of records) {
    if (left-- <= 0) record.error = tooMany("push subscriptions", maxOfLogin);
    else if (!webPush.admit(call.login.login)) record.error = new SetError("rateLimit", "too many in a short time");
  }
}

async function create(record: CreateRecord, call: Call): Promise<void> {
  const { store, clock, random, webPush } = call.services;
  const { deviceClientId, url, keys, expires, types } = record.after as JmapObject & PushSubscriptionObject;
  const expiresAt = expiryOf(expires, call) ?? null;
  await addPushSubscription(store.database, ownerOf(call), {
    id: record.id,
    credentialExpiresAt: call.login.credentialExpiresAt ?? null,
    deviceClientId: deviceClientId as string,
    url: url as string,
    keys: (keys && readKeys(keys as { p256dh: string; auth: string })) as PushKeys | null,
    verificationCode: random(24).toString("base64url"),
    expiresAt,
    types,
    holder: webPush.holder,
    now: clock.now(),
  });
  tellExpiry(record, expiresAt, record.given.expires);
}

async function update(record: UpdateRecord, call: Call): Promise<void> {
  const { store, webPush } = call.services;
  const { changed, after, before } = record;
  const { expires, types, verificationCode } = after as PushSubscriptionObject;
  const current = before.expires === null ? null : new Date(before.expires as string);
  const expiresAt = changed.has("expires") ? (expiryOf(expires, call) ?? null) : current;
  // From now on the subscription is told of changes, or of changes to other types.
  const beginsAnew = changed.has("verificationCode") || changed.has("types");
  const pushState = beginsAnew ? await webPush.standing(call.login.accounts.map(({ id }) => id)) : null;
  const verified = verificationCode !== null;
  const { holder } = webPush;
  await updatePushSubscription(store.database, ownerOf(call), {
    id: record.id,
    expiresAt,
    types,
    verified,
    holder,
    pushState,
  });
  if (changed.has("expires")) tellExpiry(record, expiresAt, expires);
}

function tell(records: { id: number }[], call: Call): void {
  call.services.webPush.changed(
    call.login,
    records.map(({ id }) => id),
  );
}

/** Each write is reported to the process that pushes, so that a verification is sent before anything else. */
export const hooks: SetHooks<Call> = {
  needs: ["verificationCode", "expires", "types"],

  async check({ creates, updates, refused }, call) {
    for (const record of [...creates, ...refused.creates]) checkCreate(record, call);
    for (const record of [...updates, ...refused.updates]) checkUpdate(record, call);
  },

  async destroy(records, _batch, call) {
    const ids = records.map(({ id }) => id);
    await removePushSubscriptions(call.services.store.database, call.login, ids);
    tell(records, call);
  },

  async update(records, _batch, call) {
    for (const record of records) await update(record, call);
    tell(records, call);
  },

  async create(records, _batch, call) {
    await checkNumber(records, call);
    const left = records.filter((record) => !record.error);
    for (const record of left) await create(record, call);
    tell(left, call);
  },
};
