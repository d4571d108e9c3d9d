import type { Id } from "../../shared/jmap/types.ts";
import type { Start } from "./message.ts";

/** What was written and is not at the server yet. */
export interface LocalCopy {
  key: string;
  username: string;
  accountId: Id;
  start: Start;
  /** When a page last said that it is still written there; 0 if that page has gone. */
  at: number;
}

const prefix = "posthorn.draft.";
/** A page that has said nothing for so long is gone: it crashed. */
const goneAfterMs = 12_000;

export function keepCopy(copy: LocalCopy): void {
  try {
    localStorage.setItem(prefix + copy.key, JSON.stringify(copy));
  } catch {
    // The storage is full: the server alone keeps it.
  }
}

export function dropCopy(key: string): void {
  localStorage.removeItem(prefix + key);
}

/** What pages that are gone left behind, of this login; the caller takes it over. */
export function leftCopies(username: string): LocalCopy[] {
  const items = Object.keys(localStorage).filter((item) => item.startsWith(prefix));
  const copies = items.flatMap((item) => {
    try {
      return [JSON.parse(localStorage.getItem(item) ?? "") as LocalCopy];
    } catch {
      return [];
    }
  });
  return copies.filter((copy) => copy.username === username && Date.now() - copy.at > goneAfterMs);
}
