import { prepare } from "../../mail/deliver/preparer.ts";
import { type MessageSummary, summarise } from "../../mime/summary.ts";
import { decodeBlobId, maxBlobSteps } from "../../store/blobs/blob-id.ts";
import { referenceBlobs } from "../../store/blobs/blob-refs.ts";
import type { StoredBlob } from "../../store/blobs/blobs.ts";
import { capabilities } from "../capability-names.ts";
import { MethodError } from "../errors.ts";
import { type Call, ownMethod, uploadLifeMs } from "../method.ts";
import { weigh } from "../octets.ts";
import { readBlob } from "../read-blob.ts";
import { id, idOrReference, list, merge, nullable, object, optional, text } from "../schema.ts";
import { dereference } from "../standard/ids.ts";
import type { JmapObject } from "../standard/type.ts";
import { isMessage, type MessageContent } from "./content.ts";
import { bodyArgs } from "./parts.ts";
import { emailProperties, headerProperty } from "./properties.ts";
import { type ContentPlan, planContent, showContent } from "./show.ts";

const defaults = (
  "messageId inReplyTo references sender from to cc bcc replyTo subject sentAt hasAttachment preview bodyValues " +
  "textBody htmlBody attachments"
).split(" ");

/** Properties that only an email in an account has. */
const ofAccount = new Set(["id", "mailboxIds", "keywords", "receivedAt", "threadId"]);

/** Larger messages are read in the worker thread, although that also makes search terms, which are not used here. */
const maxInline = 1_000_000;

/** RFC 8621 §4.9 */
export const emailParse = ownMethod({
  name: "Email/parse",
  capability: capabilities.mail,
  writes: false,
  args: merge(
    object({ accountId: id, blobIds: list(idOrReference), properties: optional(nullable(list(text))) }),
    bodyArgs,
  ),
  async run(args, call) {
    const properties = args.properties ? checked(args.properties) : defaults;
    const plan = planContent(properties, args);
    const blobIds = [...new Set(args.blobIds)];
    const { maxObjectsInGet } = call.services.limits;
    if (blobIds.length > maxObjectsInGet) throw new MethodError("requestTooLarge", `at most ${maxObjectsInGet} blobs`);
    const parsed: Record<string, JmapObject> = {};
    const notParsable: string[] = [];
    const notFound: string[] = [];
    const reader = call.services.store.reader(call.accountId, call.login);
    for (const given of blobIds) {
      const blobId = dereference(given, call.createdId) ?? "";
      const bytes = await readBlob(call.services, reader, blobId);
      if (!bytes) notFound.push(given);
      else if (bytes === "tooLarge" || !isMessage(bytes)) notParsable.push(given);
      else parsed[given] = await parse(blobId, bytes, { names: properties, plan }, call);
    }
    const orNull = <T extends object>(found: T) => (Object.keys(found).length > 0 ? found : null);
    const { accountId } = args;
    return {
      response: { accountId, parsed: orNull(parsed), notParsable: orNull(notParsable), notFound: orNull(notFound) },
    };
  },
});

function checked(names: string[]): string[] {
  for (const name of names) {
    const isKnown = Object.hasOwn(emailProperties, name) && emailProperties[name]!.capability === undefined;
    if (name === "id" || isKnown || headerProperty(name)) continue;
    throw new MethodError("invalidArguments", `Email has no property "${name}"`, { arguments: ["properties"] });
  }
  return [...new Set(names)];
}

type Wanted = { names: string[]; plan: ContentPlan };

async function parse(blobId: string, bytes: Buffer, { names, plan }: Wanted, call: Call): Promise<JmapObject> {
  const summary = bytes.length > maxInline ? (await prepare(bytes)).summary : summarise(bytes);
  const shown: JmapObject = {};
  for (const name of names) {
    if (ofAccount.has(name)) shown[name] = null;
    else if (name === "blobId") shown[name] = blobId;
    else if (plan.plain.includes(name)) shown[name] = summary[name as keyof MessageSummary];
  }
  call.octets.take(weigh(shown));
  if (plan.needsContent) await showContent(shown, await contentOf(blobId, bytes, summary, call), plan, call.octets);
  return shown;
}

async function contentOf(
  blobId: string,
  bytes: Buffer,
  { structure }: MessageSummary,
  call: Call,
): Promise<MessageContent> {
  const decoded = decodeBlobId(blobId)!;
  const isDeep = decoded.steps.length >= maxBlobSteps;
  const { sha256, steps } = isDeep ? { sha256: (await keep(bytes, call)).sha256, steps: [] } : decoded;
  return { sha256, steps, structure, header: null, bytes: async ({ start, end }) => bytes.subarray(start, end) };
}

/** A blob id has no room for another step, so the message is stored as a blob of its own, for as long as an upload. */
async function keep(bytes: Buffer, call: Call): Promise<StoredBlob> {
  const { blobs, store, clock } = call.services;
  const blob = await blobs.put(bytes);
  const expiresAt = new Date(clock.now().getTime() + uploadLifeMs);
  await store.write(call.accountId, call.login, (tx) =>
    referenceBlobs(tx, [blob], { expiresAt, uploader: call.login.userId }),
  );
  return blob;
}
