import { decodeId, idPrefix } from "../../base/ids.ts";
import { scanOutgoing } from "../../mail/submit/scan-outgoing.ts";
import { SubmissionRefused } from "../../mail/submit/submission-refused.ts";
import { submissionRules } from "../../mail/submit/submission-rules.ts";
import { type JudgedSubmission, judgeSubmission } from "../../mail/submit/submit.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import type { StoredBlob } from "../../store/blobs/blobs.ts";
import type { Envelope } from "../../store/core/db.ts";
import { findIdentities } from "../../store/mail/identities.ts";
import { type EmailToSend, findEmailsToSend } from "../../store/queues/submissions.ts";
import { invalidProperties, SetError } from "../errors.ts";
import type { Call } from "../method.ts";
import { checker } from "../schema.ts";
import type { JmapObject } from "../standard/type.ts";
import { submissionProperties } from "./properties.ts";

/** A create whose outgoing message is durable, or the reason why it is refused. */
export type Prepared =
  | { error: SetError }
  | {
      identityId: number;
      email: EmailToSend;
      judged: JudgedSubmission;
      blob: StoredBlob;
      spamScore: number | undefined;
    };

/** RFC 8621 §7.5: does all that needs the message's bytes, before the account is locked. */
export async function prepareSubmissions(args: JmapObject, call: Call): Promise<Map<string, Prepared>> {
  const prepared = new Map<string, Prepared>();
  const creates = Object.entries((args.create ?? {}) as Record<string, JmapObject>);
  for (const [creationId, record] of creates) {
    try {
      prepared.set(creationId, await prepareOne(record, call));
    } catch (error) {
      const refused = error instanceof SubmissionRefused ? setErrorOf(error, call) : error;
      if (!(refused instanceof SetError)) throw error;
      prepared.set(creationId, { error: refused });
    }
  }
  return prepared;
}

async function prepareOne(record: JmapObject, call: Call): Promise<Prepared> {
  const { store, blobs, clock, random, limits } = call.services;
  const reader = store.reader(call.accountId, call.login);
  const identityId = idOf(record.identityId, idPrefix.identity, call);
  const emailId = idOf(record.emailId, idPrefix.email, call);
  const [identity] = identityId === undefined ? [] : await findIdentities(reader, [identityId]);
  const email = emailId === undefined ? undefined : (await findEmailsToSend(reader, [emailId])).get(emailId);
  const missing = [...(identity ? [] : ["identityId"]), ...(email ? [] : ["emailId"])];
  if (!identity || !email) throw invalidProperties(`not found: ${missing.join(", ")}`, ...missing);
  if (email.blob.size > limits.maxSizeUpload) throw tooLarge(call);
  const message = await blobs.read(reader, encodeBlobId(email.blob.sha256));
  if (!message) throw invalidProperties("not found: emailId", "emailId");
  const judged = await judgeSubmission(
    { message, envelope: envelopeOf(record.envelope), identityEmail: identity.email },
    submissionRules(call.accountId, { database: store.database, clock, random, maxSize: limits.maxSizeUpload }),
  );
  const spamScore = await scanOutgoing(call.accountId, judged, call.services);
  return { identityId: identity.id, email, judged, spamScore, blob: await blobs.put(judged.wire) };
}

function idOf(value: unknown, prefix: string, call: Call): number | undefined {
  if (typeof value !== "string") return undefined;
  const id = value.startsWith("#") ? call.createdId(value.slice(1)) : value;
  return id === undefined ? undefined : decodeId(prefix, id);
}

const isEnvelope = checker(submissionProperties.envelope!.schema);

function envelopeOf(value: unknown): Envelope | null {
  // The property table refuses a malformed envelope; here it is only ignored.
  if (value === null || value === undefined || isEnvelope(value)) return null;
  const { mailFrom, rcptTo } = value as { mailFrom: Given; rcptTo: Given[] };
  const whole = ({ email, parameters }: Given) => ({ email, parameters: parameters ?? null });
  return { mailFrom: whole(mailFrom), rcptTo: rcptTo.map(whole) };
}
type Given = { email: string; parameters?: Record<string, string | null> | null };

function tooLarge(call: Call): SetError {
  return new SetError("tooLarge", "the message is too large", { maxSize: call.services.limits.maxSizeUpload });
}

/** RFC 8621 §7.5 */
export function setErrorOf({ reason, message, names, maxRecipients }: SubmissionRefused, call: Call): SetError {
  if (reason === "tooLarge") return tooLarge(call);
  if (reason === "invalidEnvelope") return invalidProperties(message, "envelope");
  if (reason === "tooManyRecipients") return new SetError(reason, message, { maxRecipients: maxRecipients ?? 0 });
  if (reason === "invalidRecipients") return new SetError(reason, message, { invalidRecipients: names });
  if (reason === "invalidEmail") return new SetError(reason, message, { properties: names });
  return new SetError(reason, message);
}
