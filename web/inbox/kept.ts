import type { Id, Session } from "../shared/jmap/types.ts";
import type { Account, KeptAccount } from "../shared/store/account.ts";
import { type Content, keptContents } from "./kept-contents.ts";

/** What is kept for a start without a line: what was shown, and the mails that were opened. */
export interface Kept {
  session: Session;
  accounts: Record<Id, KeptAccount & { contents: Content[] }>;
}

/** The browser's cache, which takes more than its storage does; it is there in a secure context alone. */
const cacheName = "posthorn-mail";
const path = "/kept";
/** Set by whoever signs in to stay. Where one does not, nothing of the mail outlives the page. */
export const stayKey = "posthorn.stay";
const restMs = 2_000;

let source: (() => { session: Session; accounts: ReadonlyMap<Id, Account> } | undefined) | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Says where to look when something is to be kept. */
export function keepFrom(from: NonNullable<typeof source>): void {
  source = from;
}

/** Keeps what is known, in a while: something was fetched. */
export function remember(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void keep().catch(() => {}), restMs);
}

async function keep(): Promise<void> {
  const current = source?.();
  if (!current || !("caches" in window) || localStorage.getItem(stayKey) === null) return;
  const accounts = Object.fromEntries(
    [...current.accounts].map(([id, account]) => [id, { ...account.keep(), contents: keptContents(id).all() }]),
  );
  const kept: Kept = { session: current.session, accounts };
  const cache = await caches.open(cacheName);
  await cache.put(path, new Response(JSON.stringify(kept)));
  // Somebody may have signed out meanwhile.
  if (!source?.()) await dropKept();
}

/** What was kept; undefined if nothing was. */
export async function loadKept(): Promise<Kept | undefined> {
  try {
    const response = await caches.match(path, { cacheName });
    return response && ((await response.json()) as Kept);
  } catch {
    return undefined;
  }
}

export async function dropKept(): Promise<void> {
  clearTimeout(timer);
  if ("caches" in window) await caches.delete(cacheName).catch(() => {});
}

addEventListener("visibilitychange", () => document.hidden && void keep().catch(() => {}));
