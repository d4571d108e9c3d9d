import { hash as digest } from "node:crypto";
import { normalizeAddress } from "../../base/address.ts";
import { type Report, readReport } from "../../mime/report.ts";
import { baseSubject } from "../../mime/subject.ts";
import type { MessageSummary } from "../../mime/summary.ts";
import { threadSubject } from "../../mime/thread-subject.ts";
import type { Tx } from "../../store/core/store.ts";
import {
  countThreads,
  findPinnedThreads,
  findSubmitted,
  findThreads,
  mergeThread,
  nextThreadKey,
  type ThreadKey,
} from "../../store/mail/threads.ts";
import { threadOfSubmission } from "../../store/queues/delivery-reports.ts";

/** A thread holds at most this many emails; then a next thread continues it. */
const maxThread = 500;
/** When threads are joined, the smaller one is moved only up to this size. */
const maxMove = 50;
const maxReferences = 50;
/** In a long References, how many more ids are looked up. */
const maxLookedUp = 1000;
/** How many full threads in a row are followed. */
const maxNext = 100;

/** 48 bits: exact as a number, and practically unique within one account. */
const hash = (text: string) => Number.parseInt(digest("sha256", text, "hex").slice(0, 12), 16);

/** The `idHash` of a message id in thread keys. */
export const messageIdHash = hash;

export interface ThreadKeys {
  /** Stored for the email. */
  keys: ThreadKey[];
  /** The first key is of the email's own Message-ID. */
  hasOwn: boolean;
  /** Looked up but not stored. */
  also: ThreadKey[];
  /** Set for a report: it joins the thread of the mail that it reports on, which this account must have sent. */
  report?: Report;
  /** Set for a report that names the mail by a signed return path: it joins the thread of that mail. */
  submissionId?: number;
  /** Set for mail that comes with its thread, from an archive: it belongs there whatever its header says. */
  threadId?: number;
}

const keysOf = (ids: Iterable<string>, subjects: readonly number[]): ThreadKey[] =>
  [...ids].map(hash).flatMap((idHash) => subjects.map((subjectHash) => ({ idHash, subjectHash })));

/**
 * Earlier versions stored keys with the base subject of RFC 5256, and a reply may have any prefix before it. These are
 * looked up in the same statement as newer keys, so a mail that answers one of each joins their threads. Can be removed
 * once a migration has computed the present subject of all stored keys from the messages.
 */
function formerSubjects(stages: readonly string[], now: number): number[] {
  const hashes = new Set(stages.map((stage) => hash(baseSubject(stage).toLowerCase())));
  hashes.delete(now);
  return [...hashes];
}

/**
 * RFC 8621 §3: emails belong together when they share an id in Message-ID, In-Reply-To or References, and the subject
 * without what programs add to it. Of a long References, the first and last 50 ids are kept.
 */
export function threadKeys(message: Uint8Array, summary: MessageSummary): ThreadKeys {
  const { messageId, all, subject } = summary;
  const { base, stages } = threadSubject(subject ?? "");
  const subjectHash = hash(base);
  const own = (messageId ?? []).slice(0, 1);
  const report = readReport(message, summary);
  const hasOwn = own.length > 0;
  if (report) return { keys: keysOf(own, [subjectHash]), hasOwn, also: [], report };
  const refs = all.references;
  const isLong = refs.length > 2 * maxReferences;
  const kept = isLong ? [...refs.slice(0, maxReferences), ...refs.slice(-maxReferences)] : refs;
  const ids = new Set([...own, ...all.inReplyTo.slice(0, maxReferences), ...kept]);
  // The newest of the rest, since they are closer in the thread.
  const between = isLong ? refs.slice(maxReferences, -maxReferences).slice(-maxLookedUp) : [];
  return {
    keys: keysOf(ids, [subjectHash]),
    hasOwn,
    also: [...keysOf(between, [subjectHash]), ...keysOf(ids, formerSubjects(stages, subjectHash))],
  };
}

export interface ThreadPlan {
  /** The thread of each message, in order. */
  threadIds: number[];
  /** Threads that held emails before. */
  known: Set<number>;
  refs: (ThreadKey & { threadId: number })[];
}

const keyText = (key: ThreadKey) => `${key.idHash} ${key.subjectHash}`;

/** Finds the stored threads that these messages may belong to, by the text of a key. */
export function findStored(tx: Tx, messages: readonly ThreadKeys[]): Promise<Map<string, number>> {
  const all = messages.flatMap(({ keys, also }) => [...keys, ...also]);
  return findThreads(tx, all);
}

/**
 * Finds or creates the threads of new messages, in order, and joins threads that a message shows to be one. `stored`:
 * the result of `findStored` for at least these messages.
 */
export async function planThreads(
  tx: Tx,
  messages: readonly ThreadKeys[],
  stored: Map<string, number>,
): Promise<ThreadPlan> {
  const reported = await findReported(tx, messages);
  const given = messages.map(({ threadId }) => threadId).filter((id) => id !== undefined);
  const sizes = await countThreads(tx, [...new Set([...stored.values(), ...reported.values(), ...given])]);
  await followFull(tx, stored, sizes, messages.length);
  const known = new Set(sizes.keys());
  const planned: Planned = { threads: new Map(stored), sizes, known, threadIds: [] };
  const { threads, threadIds } = planned;
  for (const message of messages) {
    const { keys, also, hasOwn, report } = message;
    const about = reported.get(message);
    const isReport = report !== undefined || about !== undefined;
    const found = isReport ? [about] : [...keys, ...also].map((key) => threads.get(keyText(key)));
    const belongs = found.filter((id) => id !== undefined);
    const threadId = message.threadId ?? (await threadOf(tx, belongs, planned));
    sizes.set(threadId, (sizes.get(threadId) ?? 0) + 1);
    keys.forEach((key, index) => {
      // A key stays with the thread of the email that has its id; a report takes no key from another email.
      const isOwn = index === 0 && hasOwn && !isReport;
      if (isOwn || !threads.has(keyText(key))) threads.set(keyText(key), threadId);
    });
    threadIds.push(threadId);
  }
  const refs = [...threads]
    .filter(([key, threadId]) => stored.get(key) !== threadId)
    .map(([key, threadId]) => {
      const [idHash, subjectHash] = key.split(" ").map(Number);
      return { idHash: idHash!, subjectHash: subjectHash!, threadId };
    });
  return { threadIds, known, refs };
}

interface Planned {
  threads: Map<string, number>;
  sizes: Map<number, number>;
  known: Set<number>;
  threadIds: number[];
}

/**
 * The thread of the mail that each report is about, if this account sent that mail to the recipient named in the
 * report.
 */
async function findReported(tx: Tx, messages: readonly ThreadKeys[]): Promise<Map<ThreadKeys, number>> {
  const found = await findByReturnPath(tx, messages);
  const reports = messages.flatMap((message) => {
    const { report } = message;
    return report && report.recipients.length > 0 && !found.has(message) ? [{ message, report }] : [];
  });
  const ids = [...new Set(reports.flatMap(({ report }) => report.messageIds))];
  if (ids.length === 0) return found;
  const submitted = await findSubmitted(
    tx,
    ids.map((messageId) => ({ messageId, idHash: hash(messageId) })),
  );
  for (const { message, report } of reports) {
    const recipients = new Set(report.recipients.map(normalizeAddress));
    const row = submitted.find(
      ({ messageId, recipient }) =>
        report.messageIds.includes(messageId) && recipients.has(normalizeAddress(recipient) ?? ""),
    );
    if (row) found.set(message, row.threadId);
  }
  return found;
}

/** The threads, if they still hold emails, of the mails that signed return paths name. */
async function findByReturnPath(tx: Tx, messages: readonly ThreadKeys[]): Promise<Map<ThreadKeys, number>> {
  const found = new Map<ThreadKeys, number>();
  for (const message of messages) {
    const { submissionId } = message;
    const threadId = submissionId === undefined ? undefined : await threadOfSubmission(tx, submissionId);
    if (threadId !== undefined) found.set(message, threadId);
  }
  const sizes = await countThreads(tx, [...new Set(found.values())]);
  return new Map([...found].filter(([, threadId]) => sizes.has(threadId)));
}

/** Adds the next threads of those that are full, or will be before `more` emails are added. */
async function followFull(
  tx: Tx,
  stored: Map<string, number>,
  sizes: Map<number, number>,
  more: number,
): Promise<void> {
  let full = [...sizes].filter(([, size]) => size + more > maxThread).map(([id]) => id);
  for (let round = 0; full.length > 0 && round < maxNext; round++) {
    const next = await findThreads(tx, full.map(nextThreadKey));
    const ids = [...new Set(next.values())].filter((id) => !sizes.has(id));
    for (const [key, id] of next) stored.set(key, id);
    full = [];
    for (const [id, size] of await countThreads(tx, ids)) {
      sizes.set(id, size);
      if (size + more > maxThread) full.push(id);
    }
  }
}

/** Chooses one thread for an email that belongs to all of these: joins them, and replaces a full one by its next. */
async function threadOf(tx: Tx, belongs: readonly number[], planned: Planned): Promise<number> {
  const { threads, sizes } = planned;
  const isFull = (id: number) => (sizes.get(id) ?? 0) >= maxThread;
  const full = new Set<number>();
  const open = new Set<number>();
  for (const start of belongs) {
    let id: number | undefined = start;
    while (id !== undefined && isFull(id) && !full.has(id)) {
      full.add(id);
      id = threads.get(keyText(nextThreadKey(id)));
    }
    if (id !== undefined && !full.has(id)) open.add(id);
  }
  const found = [...open];
  const threadId = (found.length > 1 ? await joinThreads(tx, found, planned) : found[0]) ?? (await tx.newIds(1))[0]!;
  for (const id of full) threads.set(keyText(nextThreadKey(id)), threadId);
  return threadId;
}

/** Joins threads into the largest; threads that are too large or pinned stay apart. */
async function joinThreads(tx: Tx, found: number[], { threads, sizes, known, threadIds }: Planned): Promise<number> {
  const size = (id: number) => sizes.get(id) ?? 0;
  const [target, ...others] = found.sort(
    (a, b) => Number(known.has(b)) - Number(known.has(a)) || size(b) - size(a) || a - b,
  );
  const pinned = await findPinnedThreads(
    tx,
    others.filter((id) => known.has(id)),
  );
  for (const from of others) {
    if (size(from) > maxMove || size(from) + size(target!) > maxThread || pinned.has(from)) continue;
    if (known.delete(from)) await mergeThread(tx, from, target!);
    // Emails of this batch that were to start `from` are not stored yet.
    threadIds.forEach((id, index) => {
      if (id === from) threadIds[index] = target!;
    });
    for (const [key, id] of threads) if (id === from) threads.set(key, target!);
    sizes.set(target!, size(target!) + size(from));
    sizes.delete(from);
  }
  return target!;
}
