import { t } from "../../messages/actions.ts";
import type { Id } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";
import type { ListSource } from "../../shared/store/email-list.ts";
import type { EmailRecord } from "../../shared/store/email-record.ts";
import { type Patch, reverseOf } from "../../shared/store/patch.ts";
import { toast } from "../../shared/toasts.tsx";
import { performed } from "../actions.ts";
import { work } from "./work.ts";

/** What is done to each email that a query finds: a patch, or "destroy". */
export type Change = ((email: EmailRecord) => Patch) | "destroy";

/** The server takes 5000 and 1000 at most. */
const idsAtOnce = 5000;
const emailsAtOnce = 500;

/**
 * Changes all emails that a query finds, portion by portion. What was done until it is stopped, or the line is lost, is done; all of it can be taken
 * back, unless it was destroyed. `text` says what was done to so many.
 */
export async function changeAll(
  account: Account,
  { filter, sort }: ListSource,
  change: Change,
  text: (n: number) => string,
): Promise<void> {
  const reverse = new Map<Id, Patch>();
  let destroyed = 0;
  try {
    work.value = { text: t("working"), done: 0, total: 0, isStopped: false };
    const ids = await findAll(account, { filter, sort });
    await inPortions(ids, async (some) => {
      if (change !== "destroy") return changeSome(account, some, change, reverse);
      await set(account, {}, some);
      destroyed += some.length;
    });
  } catch (error) {
    toast({ text: t("failed", { reason: (error as Error).message }), isError: true });
  } finally {
    work.value = undefined;
    void account.catchUp().catch(() => {});
  }
  if (destroyed > 0) toast({ text: text(destroyed) });
  if (reverse.size > 0) performed(text(reverse.size), () => void takeAllBack(account, reverse));
}

async function changeSome(
  account: Account,
  ids: readonly Id[],
  change: (email: EmailRecord) => Patch,
  reverse: Map<Id, Patch>,
): Promise<void> {
  const properties = ["id", "keywords", "mailboxIds"];
  const { list } = await account.jmap.call("Email/get", { accountId: account.id, ids, properties });
  const update: Record<Id, Patch> = {};
  const backs: Record<Id, Patch> = {};
  for (const email of list) {
    const patch = change(email);
    const back = reverseOf(email, patch);
    if (Object.keys(back).length === 0) continue;
    update[email.id] = patch;
    backs[email.id] = back;
  }
  const refused = await set(account, update, []);
  for (const [id, back] of Object.entries(backs)) if (!refused.has(id)) reverse.set(id, back);
}

async function takeAllBack(account: Account, reverse: ReadonlyMap<Id, Patch>): Promise<void> {
  work.value = { text: t("takingBack"), done: 0, total: reverse.size, isStopped: false };
  try {
    await inPortions([...reverse.keys()], async (ids) => {
      await set(account, Object.fromEntries(ids.map((id) => [id, reverse.get(id)!])), []);
    });
  } catch (error) {
    toast({ text: t("failed", { reason: (error as Error).message }), isError: true });
  } finally {
    work.value = undefined;
    void account.catchUp().catch(() => {});
  }
}

/** Until it is stopped. */
async function inPortions(ids: readonly Id[], act: (some: readonly Id[]) => Promise<void>): Promise<void> {
  for (let at = 0; at < ids.length; at += emailsAtOnce) {
    if (work.peek()?.isStopped) return;
    work.value = { ...work.peek()!, done: at, total: ids.length };
    await act(ids.slice(at, at + emailsAtOnce));
    work.value = { ...work.peek()!, done: Math.min(at + emailsAtOnce, ids.length) };
  }
}

/** Before anything is changed, since what is changed may no longer match. */
async function findAll(account: Account, query: Pick<ListSource, "filter" | "sort">): Promise<Id[]> {
  const all = new Set<Id>();
  for (;;) {
    const { ids } = await account.jmap.call("Email/query", {
      ...{ accountId: account.id, ...query },
      ...{ position: all.size, limit: idsAtOnce },
    });
    const before = all.size;
    for (const id of ids) all.add(id);
    if (ids.length < idsAtOnce || all.size === before) return [...all];
  }
}

/** Returns which the server refused. */
async function set(account: Account, update: Record<Id, Patch>, destroy: readonly Id[]): Promise<Set<Id>> {
  if (Object.keys(update).length + destroy.length === 0) return new Set();
  const { notUpdated } = await account.jmap.call("Email/set", { accountId: account.id, update, destroy });
  return new Set(Object.keys(notUpdated ?? {}));
}
