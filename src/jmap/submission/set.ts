import { encodeId, idPrefix } from "../../base/ids.ts";
import { correspondentsOf } from "../../mail/scan/correspondents.ts";
import { admit } from "../../mail/standing/admit.ts";
import { enqueue } from "../../mail/submit/enqueue.ts";
import { distinctRecipients } from "../../mail/submit/submit.ts";
import { noteCorrespondents } from "../../store/mail/correspondents.ts";
import { findIdentities } from "../../store/mail/identities.ts";
import {
  cancelSubmissions,
  destroySubmissions,
  findCancelable,
  findEmailsToSend,
} from "../../store/queues/submissions.ts";
import { invalidProperties, SetError } from "../errors.ts";
import type { ImplicitCall, WriteCall } from "../method.ts";
import { idOrReference, list, map, nullable, object, openObject, optional } from "../schema.ts";
import { refuse } from "../standard/faults.ts";
import type { CreateRecord, JmapObject, SetBatch, SetHooks } from "../standard/type.ts";
import { deliveryStatusOf, utc } from "./fetch.ts";
import { type Prepared, prepareSubmissions, setErrorOf } from "./prepare.ts";

type Patches = Record<string, JmapObject>;

/** RFC 8621 §7.5 */
export const submissionSet: SetHooks = {
  args: object({
    onSuccessUpdateEmail: optional(nullable(map(idOrReference, openObject({})))),
    onSuccessDestroyEmail: optional(nullable(list(idOrReference))),
  }),
  needs: ["emailId", "undoStatus"],
  prepare: prepareSubmissions,

  async check(batch, call) {
    await checkCreates(batch, call);
    await checkUpdates(batch, call);
  },

  async create(records, batch, call) {
    await admitAll(records, batch, call);
    const ready = records.filter((record) => !record.error).map((record) => ({ record, ...readyOf(record, batch) }));
    if (ready.length === 0) return;
    const outgoing = ready.map(({ record, identityId, email, judged, blob, spamScore }) => ({
      id: record.id,
      identityId,
      emailId: email.id,
      threadId: email.threadId,
      envelope: judged.envelope,
      sendAt: judged.sendAt,
      blob,
      spamScore,
      isBulk: judged.isBulk,
    }));
    noteCorrespondents(
      call.tx,
      ready.flatMap(({ judged }) => correspondentsOf(judged)),
    );
    (await enqueue(call.tx, outgoing)).forEach((row, index) => {
      const { record } = ready[index]!;
      record.response = {
        threadId: encodeId(idPrefix.thread, row.threadId),
        sendAt: utc(row.sendAt),
        undoStatus: "pending",
        deliveryStatus: deliveryStatusOf(row.recipients),
        dsnBlobIds: [],
        mdnBlobIds: [],
        ...(record.after.envelope === null && { envelope: row.envelope }),
      };
    });
  },

  async update(records, _batch, call) {
    await cancelSubmissions(
      call.tx,
      records.map(({ id }) => id),
    );
  },

  async destroy(records, _batch, call) {
    await destroySubmissions(
      call.tx,
      records.map(({ id }) => id),
    );
  },

  implicit,
};

/** RFC 8621 §7.5: refuses what goes beyond what the account may send. */
async function admitAll(records: CreateRecord[], batch: SetBatch, call: WriteCall): Promise<void> {
  const candidates = records.map((record) => {
    const { judged, spamScore } = readyOf(record, batch);
    return { recipients: distinctRecipients(judged.envelope.rcptTo).length, spamScore };
  });
  const { hasSendingLimits: isLimited, scanners } = call.services;
  const rules = { isLimited, junkScore: scanners.junkScore, isAway: call.login.isAway === true };
  const verdicts = await admit(call.tx, candidates, rules);
  verdicts.forEach((refusal, at) => {
    if (refusal) refuse(records[at]!, setErrorOf(refusal, call));
  });
}

function readyOf(record: CreateRecord, batch: SetBatch) {
  const ready = (batch.prepared as Map<string, Prepared>).get(record.creationId);
  if (!ready || "error" in ready) throw new Error("a refused submission is not written");
  return ready;
}

async function checkCreates(batch: SetBatch, call: WriteCall): Promise<void> {
  const prepared = batch.prepared as Map<string, Prepared>;
  for (const record of [...batch.creates, ...batch.refused.creates]) {
    const ready = prepared.get(record.creationId);
    if (!ready || "error" in ready) refuse(record, ready?.error ?? invalidProperties("not found", "emailId"));
    if ((record.after.undoStatus ?? "pending") !== "pending") {
      refuse(record, invalidProperties("undoStatus: is set by the server", "undoStatus"));
    }
  }
  const creates = batch.creates.filter((record) => !record.error);
  if (creates.length === 0) return;
  // The email or the identity may have been destroyed after `prepare`.
  const ready = creates.map((record) => readyOf(record, batch));
  const [emails, found] = await Promise.all([
    findEmailsToSend(
      call.tx,
      ready.map(({ email }) => email.id),
    ),
    findIdentities(call.tx, null),
  ]);
  const identities = new Set(found.map(({ id }) => id));
  creates.forEach((record, index) => {
    const { email, identityId } = ready[index]!;
    const stored = emails.get(email.id);
    if (!stored) refuse(record, invalidProperties("not found: emailId", "emailId"));
    else email.threadId = stored.threadId;
    if (!identities.has(identityId)) refuse(record, invalidProperties("not found: identityId", "identityId"));
  });
}

async function checkUpdates({ updates, refused }: SetBatch, call: WriteCall): Promise<void> {
  const moved = [...updates, ...refused.updates].filter(({ changed }) => changed.has("undoStatus"));
  for (const record of moved) {
    if (record.after.undoStatus !== "canceled") {
      refuse(record, invalidProperties("undoStatus: can only become canceled", "undoStatus"));
    } else if (record.before.undoStatus !== "pending") refuse(record, cannotUnsend());
  }
  const left = moved.filter((record) => !record.error);
  if (left.length === 0) return;
  const cancelable = await findCancelable(
    call.tx,
    left.map(({ id }) => id),
  );
  for (const record of left) {
    if (!cancelable.has(record.id)) refuse(record, cannotUnsend());
  }
}

function cannotUnsend(): SetError {
  return new SetError("cannotUnsend", "the submission can no longer be canceled");
}

/** RFC 8621 §7.5: a single Email/set for all records that succeeded. */
function implicit(batch: SetBatch, call: WriteCall): ImplicitCall[] {
  const emails = emailsOf(batch);
  // A creation id of this call hides the same one of an earlier call.
  const earlier = (name: string) => (name.startsWith("#") ? call.createdId(name.slice(1)) : undefined) ?? name;
  const emailOf = (name: string) => emails.get(name) ?? emails.get(earlier(name));
  const update: Patches = {};
  for (const [name, patch] of Object.entries((batch.args.onSuccessUpdateEmail ?? {}) as Patches)) {
    const email = emailOf(name);
    if (email !== undefined) update[email] = { ...update[email], ...patch };
  }
  const names = (batch.args.onSuccessDestroyEmail ?? []) as string[];
  const destroy = new Set(names.map(emailOf).filter((email) => email !== undefined));
  const isUpdating = Object.keys(update).length > 0;
  if (!isUpdating && destroy.size === 0) return [];
  const args = {
    accountId: batch.args.accountId,
    ...(isUpdating && { update }),
    ...(destroy.size > 0 && { destroy: [...destroy] }),
  };
  return [{ name: "Email/set", args }];
}

/** Submission id, or "#" and its creation id → the Email it sends, for records that succeeded. */
function emailsOf({ creates, updates, destroys }: SetBatch): Map<string, string> {
  const emails = new Map<string, string>();
  for (const { creationId, after } of creates) emails.set(`#${creationId}`, after.emailId as string);
  for (const { wireId, before } of [...updates, ...destroys]) emails.set(wireId, before.emailId as string);
  return emails;
}
