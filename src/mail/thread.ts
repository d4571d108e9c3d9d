import { createHash } from "node:crypto";
import { baseSubject } from "../mime/subject.ts";
import type { MessageSummary } from "../mime/summary.ts";
import type { Tx } from "../store/store.ts";
import { countThreads, findPinnedThreads, findThreads, mergeThread, type ThreadKey } from "../store/threads.ts";

/** A thread holds at most this many emails, then a new one starts. */
const maxThread = 500;
/** The smaller side of a join is moved only up to this size. */
const maxMove = 50;
const maxReferences = 50;

/** 48 bits: exact as a number, and within one account's keys as good as unique. */
const hash = (text: string) => createHash("sha256").update(text).digest().readUIntBE(0, 6);

/** As the `idHash` of its thread keys. */
export const messageIdHash = hash;

/**
 * RFC 8621 §3: emails belong together when they share a message id among Message-ID, In-Reply-To and References and
 * the base subject. Of a long References, the first and last 50.
 */
export function threadKeys({ messageId, inReplyTo, references, subject }: MessageSummary): ThreadKey[] {
  const refs = references ?? [];
  const kept =
    refs.length <= 2 * maxReferences ? refs : [...refs.slice(0, maxReferences), ...refs.slice(-maxReferences)];
  const ids = new Set([...(messageId ?? []).slice(0, 1), ...(inReplyTo ?? []).slice(0, maxReferences), ...kept]);
  const subjectHash = hash(baseSubject(subject ?? "").toLowerCase());
  return [...ids].map((id) => ({ idHash: hash(id), subjectHash }));
}

export interface ThreadPlan {
  /** The thread of each message, in order. */
  threadIds: number[];
  /** Those that held emails before. */
  known: Set<number>;
  refs: (ThreadKey & { threadId: number })[];
}

const keyText = (key: ThreadKey) => `${key.idHash} ${key.subjectHash}`;

/** Finds or begins the threads of new messages, in order; joins threads that a message shows to be one. */
export async function planThreads(tx: Tx, messages: readonly ThreadKey[][]): Promise<ThreadPlan> {
  const stored = await findThreads(tx, messages.flat());
  const threads = new Map(stored);
  const sizes = await countThreads(tx, [...new Set(stored.values())]);
  const known = new Set(sizes.keys());
  const threadIds: number[] = [];
  for (const keys of messages) {
    const found = [...new Set(keys.map((key) => threads.get(keyText(key))).filter((id) => id !== undefined))];
    let threadId = found.length > 1 ? await joinThreads(tx, found, { threads, sizes, known, threadIds }) : found[0];
    if (threadId === undefined || (sizes.get(threadId) ?? 0) >= maxThread) threadId = (await tx.newIds(1))[0]!;
    sizes.set(threadId, (sizes.get(threadId) ?? 0) + 1);
    for (const key of keys) threads.set(keyText(key), threadId);
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

interface Joining {
  threads: Map<string, number>;
  sizes: Map<number, number>;
  known: Set<number>;
  threadIds: number[];
}

/** One thread of several, the largest; a side that may not move stays apart. */
async function joinThreads(tx: Tx, found: number[], { threads, sizes, known, threadIds }: Joining): Promise<number> {
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
    // Emails of this very batch that were to begin `from` are not stored yet.
    threadIds.forEach((id, index) => {
      if (id === from) threadIds[index] = target!;
    });
    for (const [key, id] of threads) if (id === from) threads.set(key, target!);
    sizes.set(target!, size(target!) + size(from));
    sizes.delete(from);
  }
  return target!;
}
