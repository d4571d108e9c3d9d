import { effect, signal } from "@preact/signals";
import type { Id } from "../../shared/jmap/types.ts";
import type { EmailList } from "../../shared/store/email-list.ts";

/** The rows that actions are for, by the id of their email; kept while the list changes. */
export const selected = signal<ReadonlySet<Id>>(new Set());
/** The row that the keys are at. */
export const cursor = signal<Id | undefined>(undefined);

/** Whether all is meant that the list's query finds, and not only what was fetched of it. */
export const isWhole = signal(false);
/** Whoever changes what is selected means just that. */
effect(() => {
  selected.value;
  isWhole.value = false;
});

/** Where a range begins. */
let rangeFrom: Id | undefined;

export function clearSelection(): void {
  if (selected.peek().size > 0) selected.value = new Set();
  rangeFrom = undefined;
}

export function toggleSelected(id: Id): void {
  const next = new Set(selected.peek());
  if (!next.delete(id)) next.add(id);
  selected.value = next;
  rangeFrom = id;
}

/** From the row that was last selected, to this one. Rows in between that were never looked at are fetched. */
export async function selectRange(list: EmailList, id: Id): Promise<void> {
  const from = rangeFrom === undefined ? -1 : list.indexOf(rangeFrom);
  const to = list.indexOf(id);
  if (from < 0 || to < 0) return toggleSelected(id);
  const ids = await list.idsOf(Math.min(from, to), Math.max(from, to) + 1);
  selected.value = new Set([...selected.peek(), ...ids]);
}

/** All that was fetched of the list, or none if all of these are selected. */
export function toggleAll(list: EmailList): void {
  const ids = list.knownIds();
  const areAll = ids.length > 0 && ids.every((id) => selected.peek().has(id));
  selected.value = areAll ? new Set() : new Set(ids);
  rangeFrom = undefined;
}
