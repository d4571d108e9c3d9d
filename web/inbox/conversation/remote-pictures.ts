import { signal } from "@preact/signals";
import type { Id } from "../../shared/jmap/types.ts";

/** The mails whose remote pictures were asked for, for as long as the page is open. */
export const allowed = signal<ReadonlySet<Id>>(new Set());

export function allowOnce(id: Id): void {
  allowed.value = new Set([...allowed.peek(), id]);
}

const shown = new Set<Id>();

/** Keeps whether a mail is shown with its remote pictures: an answer then quotes them too. */
export function rememberShown(id: Id, isShown: boolean): void {
  if (isShown) shown.add(id);
  else shown.delete(id);
}

export const isShownWithRemote = (id: Id): boolean => shown.has(id);
