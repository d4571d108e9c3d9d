import { t } from "../messages/actions.ts";
import type { Id } from "../shared/jmap/types.ts";
import type { Account } from "../shared/store/account.ts";
import { type Patch, patched, pathOf, reverseOf } from "../shared/store/patch.ts";
import { announce, toast } from "../shared/toasts.tsx";
import { theMail } from "./mail.ts";

interface Done {
  text: string;
  back(): void;
}

/** What can be taken back, the newest last. */
const done: Done[] = [];
const maxDone = 50;

/** Patches by email id, of which each changes something. */
export type Patches = Record<Id, Patch>;

/**
 * Changes emails: at once in the view, then at the server. It can be taken back by z, and by the button of the notice with `text`;
 * without a text it is said to nobody, and not taken back (reading marks as read). What the server refuses shows as it was, with a notice.
 */
export function perform(account: Account, patches: Patches, text?: string): void {
  const reverse = apply(account, patches);
  if (Object.keys(reverse).length === 0) return;
  if (text === undefined) return;
  performed(text, () => void apply(account, reverse));
}

/** Says what was done, and keeps how it is taken back. */
export function performed(text: string, back: () => void): void {
  const entry = { text, back };
  done.push(entry);
  if (done.length > maxDone) done.shift();
  toast({ text, undo: () => takeBack(entry) });
}

/** Takes the last action back. */
export function undo(): void {
  const last = done.at(-1);
  if (last) takeBack(last);
  else announce(t("nothingToUndo"));
}

function takeBack(entry: Done): void {
  const at = done.indexOf(entry);
  if (at < 0) return;
  done.splice(at, 1);
  entry.back();
  toast({ text: t("undone", { what: entry.text }) });
}

/** Destroys emails for good. Ask first. */
export function destroy(account: Account, ids: readonly Id[], text: string): void {
  for (const id of ids) account.emails.edit(id, (email) => ({ ...email, mailboxIds: {} }));
  account.recheck(ids);
  void post(account, {}, [...ids]);
  toast({ text });
}

function apply(account: Account, patches: Patches): Patches {
  const reverse: Patches = {};
  const update: Patches = {};
  for (const [id, patch] of Object.entries(patches)) {
    const email = account.emails.peek(id);
    if (!email) continue;
    const back = reverseOf(email, patch);
    if (Object.keys(back).length === 0) continue;
    reverse[id] = back;
    update[id] = patch;
    account.emails.edit(id, (record) => patched(record, patch));
  }
  const ids = Object.keys(update);
  if (ids.length === 0) return reverse;
  account.recheck(ids);
  void post(account, update, []);
  return reverse;
}

/** The most emails in one /set. */
const maxObjects = 500;

async function post(account: Account, update: Patches, destroyed: Id[]): Promise<void> {
  const entries = Object.entries(update);
  const letters = [];
  for (let at = 0; at === 0 || at < Math.max(entries.length, destroyed.length); at += maxObjects) {
    const part = {
      update: Object.fromEntries(entries.slice(at, at + maxObjects)),
      destroy: destroyed.slice(at, at + maxObjects),
    };
    letters.push(theMail().outbox.post({ accountId: account.id, ...part }));
  }
  const ids = [...Object.keys(update), ...destroyed];
  try {
    const refused = (await Promise.all(letters)).flatMap((one) => [...one]);
    // What is gone already needs no words.
    const failed = refused.filter(([, type]) => type !== "notFound");
    if (refused.length > 0) await account.reloadEmails(refused.map(([id]) => id));
    if (failed.length > 0) toast({ text: t("refused", { n: failed.length, type: failed[0]![1] }), isError: true });
  } catch (error) {
    toast({ text: t("failed", { reason: (error as Error).message }), isError: true });
    await account.reloadEmails(ids).catch(() => {});
  }
}

/** Adds or removes keywords and mailboxes of emails: { keywords: { $seen: true } } */
export function patchesFor(
  ids: readonly Id[],
  { keywords = {}, mailboxIds = {} }: { keywords?: Record<string, true | null>; mailboxIds?: Record<Id, true | null> },
): Patches {
  const patch: Patch = {};
  for (const [keyword, value] of Object.entries(keywords)) patch[pathOf("keywords", keyword)] = value;
  for (const [id, value] of Object.entries(mailboxIds)) patch[pathOf("mailboxIds", id)] = value;
  return Object.fromEntries(ids.map((id) => [id, patch]));
}
