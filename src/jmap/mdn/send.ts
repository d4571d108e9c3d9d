import { decodeId, encodeId, idPrefix } from "../../base/ids.ts";
import { enqueue } from "../../mail/submit/enqueue.ts";
import { findEmails } from "../../store/mail/emails.ts";
import { findIdentities, type IdentityRow } from "../../store/mail/identities.ts";
import { capabilities } from "../capability-names.ts";
import { MethodError, overQuota, SetError } from "../errors.ts";
import { type Call, type WriteCall, writeMethod } from "../method.ts";
import { id, idOrReference, map, nullable, object, openObject, optional, type Static } from "../schema.ts";
import { dereference } from "../standard/ids.ts";
import type { JmapObject } from "../standard/type.ts";
import { alreadySent, prepareMdn, type ReadyMdn } from "./prepare.ts";

const sendArgs = object({
  accountId: id,
  identityId: idOrReference,
  send: map(id, openObject({})),
  onSuccessUpdateEmail: optional(nullable(map(idOrReference, openObject({})))),
});
type SendArgs = Static<typeof sendArgs>;

interface Prepared {
  identityId: number;
  /** By creation id. */
  mdns: Map<string, ReadyMdn | SetError>;
  /** Email → the patch that follows once its MDN is sent. */
  patches: Map<string, JmapObject>;
}

/** RFC 9007 §2.1: queues the MDN like an EmailSubmission, hidden from clients. */
export const mdnSend = writeMethod<SendArgs, Prepared>({
  name: "MDN/send",
  capability: capabilities.mdn,
  args: sendArgs,
  ids: ({ send }) => Object.keys(send).length,

  async prepare(args, call) {
    const { maxObjectsInSet } = call.services.limits;
    const given = Object.entries(args.send) as [string, JmapObject][];
    if (given.length > maxObjectsInSet) throw new MethodError("requestTooLarge", `at most ${maxObjectsInSet} MDNs`);
    const identity = await findIdentity(args.identityId, call);
    const patches = patchesOf(args, call);
    for (const [creationId, { forEmailId }] of given) {
      const wireId = typeof forEmailId === "string" ? dereference(forEmailId, call.createdId) : undefined;
      if (wireId !== undefined && !setsKeyword(patches.get(wireId) ?? {})) {
        throw new MethodError("invalidArguments", `onSuccessUpdateEmail must set $mdnsent for ${creationId}`, {
          arguments: ["onSuccessUpdateEmail"],
        });
      }
    }
    const mdns: Prepared["mdns"] = new Map();
    for (const [creationId, record] of given) mdns.set(creationId, await ready(record, identity, call));
    return { identityId: identity.id, mdns, patches };
  },

  async run({ accountId }, call, prepared) {
    const { sound, refused } = await judge(prepared.mdns, call);
    if (sound.size > 0) await submit([...sound.values()], prepared.identityId, call);
    const update: Record<string, JmapObject> = {};
    for (const { email } of sound.values()) {
      const emailId = encodeId(idPrefix.email, email.id);
      update[emailId] = prepared.patches.get(emailId)!;
    }
    const sent = [...sound].map(([creationId, { told }]) => [creationId, told]);
    const notSent = [...refused].map(([creationId, error]) => [creationId, error.toJSON()]);
    return {
      response: {
        accountId,
        sent: sent.length > 0 ? Object.fromEntries(sent) : null,
        notSent: notSent.length > 0 ? Object.fromEntries(notSent) : null,
      },
      implicit: sent.length > 0 ? [{ name: "Email/set", args: { accountId, update } }] : [],
    };
  },
});

async function findIdentity(text: string, call: Call): Promise<IdentityRow> {
  const number = decodeId(idPrefix.identity, dereference(text, call.createdId) ?? "");
  const reader = call.services.store.reader(call.accountId, call.login);
  const [identity] = number === undefined ? [] : await findIdentities(reader, [number]);
  if (!identity) throw new MethodError("invalidArguments", "no such identity", { arguments: ["identityId"] });
  return identity;
}

/** The keys are Email ids, or "#" and the creation id of an MDN of this call. */
function patchesOf({ send, onSuccessUpdateEmail }: SendArgs, call: Call): Prepared["patches"] {
  const patches: Prepared["patches"] = new Map();
  for (const [name, patch] of Object.entries(onSuccessUpdateEmail ?? {})) {
    const own = name.startsWith("#") && Object.hasOwn(send, name.slice(1)) ? send[name.slice(1)] : undefined;
    const emailId = own ? own.forEmailId : name;
    const wireId = typeof emailId === "string" ? dereference(emailId, call.createdId) : undefined;
    if (wireId !== undefined) patches.set(wireId, { ...patches.get(wireId), ...(patch as JmapObject) });
  }
  return patches;
}

function setsKeyword(patch: JmapObject): boolean {
  const { keywords } = patch as { keywords?: Record<string, unknown> | null };
  return patch["keywords/$mdnsent"] === true || keywords?.$mdnsent === true;
}

async function ready(record: JmapObject, identity: IdentityRow, call: Call): Promise<ReadyMdn | SetError> {
  try {
    return await prepareMdn(record, identity, call);
  } catch (error) {
    if (error instanceof SetError) return error;
    throw error;
  }
}

/** Judges again under the lock, since things may have changed after `prepare`. */
async function judge(mdns: Prepared["mdns"], call: WriteCall) {
  const emails = [...mdns.values()].flatMap((mdn) => (mdn instanceof SetError ? [] : [mdn.email.id]));
  const rows = new Map((await findEmails(call.tx, emails)).map((row) => [row.id, row]));
  const sound = new Map<string, ReadyMdn>();
  const refused = new Map<string, SetError>();
  let { room } = call.tx;
  for (const [creationId, mdn] of mdns) {
    const row = mdn instanceof SetError ? undefined : rows.get(mdn.email.id);
    if (mdn instanceof SetError) refused.set(creationId, mdn);
    else if (!row) refused.set(creationId, new SetError("notFound", "no such email"));
    else if (row.keywords.includes("$mdnsent")) refused.set(creationId, alreadySent());
    else if ([...sound.values()].some(({ email }) => email.id === row.id)) refused.set(creationId, alreadySent());
    else if (mdn.blob.size > room) refused.set(creationId, overQuota());
    else {
      room -= mdn.blob.size;
      sound.set(creationId, { ...mdn, email: { ...mdn.email, threadId: row.threadId } });
    }
  }
  return { sound, refused };
}

async function submit(mdns: ReadyMdn[], identityId: number, { tx }: WriteCall): Promise<void> {
  const ids = await tx.newIds(mdns.length);
  await enqueue(
    tx,
    mdns.map(({ email, judged, blob }, index) => ({
      id: ids[index]!,
      identityId,
      emailId: email.id,
      threadId: email.threadId,
      envelope: judged.envelope,
      sendAt: judged.sendAt,
      blob,
      isHidden: true as const,
    })),
  );
}
