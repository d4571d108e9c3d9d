import { createHash } from "node:crypto";
import { decodeBlobId } from "../../../store/blobs/blob-id.ts";
import type { Blobs, StoredBlob } from "../../../store/blobs/blobs.ts";
import type { Delivered, Displayed, Envelope } from "../../../store/core/db.ts";
import type { Store } from "../../../store/core/store.ts";
import {
  insertPastSubmissions,
  type PastSubmission,
  submissionsAfter,
} from "../../../store/queues/archived-submissions.ts";
import { isHash, messageName } from "../../export/manifest.ts";
import { type Archive, linesOf } from "../../export/open-archive.ts";
import { Malformed, parseObject } from "./archived.ts";
import type { LeftOut } from "./settings.ts";

const batchSize = 64;

interface Into {
  store: Store;
  blobs: Blobs;
  accountId: number;
  /** Archived id → the account's. */
  emails: ReadonlyMap<string, number>;
  threads: ReadonlyMap<string, number>;
  identities: ReadonlyMap<string, number>;
}

type Ready = Omit<PastSubmission, "id" | "emailId" | "threadId" | "identityId"> & {
  archived: { emailId: string; threadId: string; identityId: string };
};

/** Records what the archived account has sent. What still waits there is left out: it would be sent twice. */
export async function importSubmissions(
  archive: Archive,
  into: Into,
): Promise<{ added: number; present: number; leftOut: LeftOut[] }> {
  const result = { added: 0, present: 0, leftOut: [] as LeftOut[] };
  const known = await knownSubmissions(into);
  let batch: Ready[] = [];
  const flush = async () => {
    await write(batch, into);
    result.added += batch.length;
    batch = [];
  };
  for await (const line of linesOf(archive, "objects/EmailSubmission.jsonl")) {
    const shown = parseObject(line);
    const leaveOut = (reason: LeftOut["reason"]) =>
      result.leftOut.push({ type: "EmailSubmission", id: shown.id, reason });
    if (shown.undoStatus === "pending") leaveOut("waits-to-be-sent");
    else if (!isHash(shown.sha256)) throw new Malformed(`the submission ${shown.id}`);
    else if (takeKnown(known, keyOf(shown.sha256, new Date(shown.sendAt as string)))) result.present++;
    else {
      const blob = await storeMessage(archive, shown.sha256, into.blobs);
      if (blob) batch.push(toPast(shown, blob));
      else leaveOut("no-message");
    }
    if (batch.length === batchSize) await flush();
  }
  await flush();
  return result;
}

const keyOf = (sha256: string, sendAt: Date) => `${sha256} ${Math.floor(sendAt.getTime() / 1000)}`;

/** What the account has already, from an earlier run. */
async function knownSubmissions({ store, accountId }: Into): Promise<Map<string, number>> {
  const known = new Map<string, number>();
  for (let after = 0; ; ) {
    const rows = await submissionsAfter(store.reader(accountId, "server"), { after, limit: 1_000 });
    if (rows.length === 0) return known;
    after = rows.at(-1)!.id;
    for (const { sha256, sendAt } of rows) {
      const key = keyOf(sha256.toString("hex"), sendAt);
      known.set(key, (known.get(key) ?? 0) + 1);
    }
  }
}

function takeKnown(known: Map<string, number>, key: string): boolean {
  const left = known.get(key) ?? 0;
  if (left > 0) known.set(key, left - 1);
  return left > 0;
}

async function storeMessage(archive: Archive, sha256: string, blobs: Blobs): Promise<StoredBlob | undefined> {
  const name = messageName(sha256);
  if ((await archive.size(name)) === undefined) return undefined;
  const bytes = Buffer.concat(await archive.read(name).toArray());
  return createHash("sha256").update(bytes).digest("hex") === sha256 ? blobs.put(bytes) : undefined;
}

type Status = Record<string, { smtpReply: string; delivered: Delivered; displayed: Displayed }>;

function toPast(shown: Record<string, unknown> & { id: string }, blob: StoredBlob): Ready {
  const { emailId, threadId, identityId, envelope, sendAt, undoStatus, deliveryStatus } = shown;
  const { mailFrom, rcptTo } = (envelope ?? {}) as Partial<Envelope>;
  const at = new Date(sendAt as string);
  if (!mailFrom || !Array.isArray(rcptTo) || Number.isNaN(at.getTime()))
    throw new Malformed(`the submission ${shown.id}`);
  const status = (deliveryStatus ?? {}) as Status;
  const unknown = {
    smtpReply: "250 2.0.0 sent by another server",
    delivered: "unknown",
    displayed: "unknown",
  } as const;
  return {
    archived: { emailId, threadId, identityId } as Ready["archived"],
    envelope: { mailFrom, rcptTo },
    sendAt: at,
    undoStatus: undoStatus === "canceled" ? "canceled" : "final",
    dsnBlobIds: blobIds(shown.dsnBlobIds),
    mdnBlobIds: blobIds(shown.mdnBlobIds),
    blob,
    recipients: rcptTo.map(({ email, parameters }) => ({
      email,
      parameters: parameters ?? null,
      ...unknown,
      ...status[email],
    })),
  };
}

function blobIds(value: unknown): string[] {
  return (Array.isArray(value) ? value : []).filter((id) => typeof id === "string" && decodeBlobId(id) !== undefined);
}

/** What an id named that is no longer there gets an id that names nothing here either. */
async function write(batch: readonly Ready[], { store, accountId, emails, threads, identities }: Into): Promise<void> {
  if (batch.length === 0) return;
  await store.write(accountId, "server", async (tx) => {
    const ids = await tx.newIds(4 * batch.length);
    const rows = batch.map(({ archived, ...row }) => ({
      ...row,
      id: ids.shift()!,
      emailId: emails.get(archived.emailId) ?? ids.shift()!,
      threadId: threads.get(archived.threadId) ?? ids.shift()!,
      identityId: identities.get(archived.identityId) ?? ids.shift()!,
    }));
    rows.sort((a, b) => a.id - b.id);
    await insertPastSubmissions(tx, rows);
  });
}
