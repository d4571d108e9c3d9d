import { computed, effect, signal } from "@preact/signals";
import { Jmap } from "../shared/jmap/client.ts";
import { ConnectionLost, SignedOut } from "../shared/jmap/errors.ts";
import { Push } from "../shared/jmap/push.ts";
import { fetchSession, signOut } from "../shared/jmap/session.ts";
import type { Id, Session } from "../shared/jmap/types.ts";
import { Account, syncedTypes } from "../shared/store/account.ts";
import { type Letter, Outbox, type Refused } from "../shared/store/outbox.ts";
import { dropKept, type Kept, keepFrom, loadKept, remember } from "./kept.ts";
import { forgetContents, keptContents } from "./kept-contents.ts";
import { route } from "./route.ts";
import { openComposers } from "./seams.ts";

/** All that is there while somebody is signed in. */
export interface Mail {
  session: Session;
  jmap: Jmap;
  push: Push;
  outbox: Outbox;
  accounts: ReadonlyMap<Id, Account>;
}

export type Phase = "starting" | "signed-out" | "ready" | "unreachable";

export const phase = signal<Phase>("starting");
/** Undefined unless somebody is signed in. */
export const mail = signal<Mail | undefined>(undefined);
/** Why somebody is at the sign-in screen who was not before. */
export const wasSignedOut = signal(false);

const tabs = new BroadcastChannel("posthorn-tabs");
tabs.onmessage = ({ data }) => {
  if (data !== "signed-out") return;
  for (const composer of openComposers) composer.forget();
  endSession();
};

/** The account that the route names, or the login's own; undefined unless signed in. */
export const account = computed<Account | undefined>(() => {
  const current = mail.value;
  if (!current) return undefined;
  const wanted = route.value.accountId;
  return (wanted !== undefined && current.accounts.get(wanted)) || current.accounts.get(primaryId(current.session));
});

/** The account of views that are shown to signed-in people alone. */
export function theAccount(): Account {
  const current = account.value;
  if (!current) throw new Error("nobody is signed in");
  return current;
}

export function theMail(): Mail {
  const current = mail.value;
  if (!current) throw new Error("nobody is signed in");
  return current;
}

export function primaryId({ primaryAccounts, accounts }: Session): Id {
  return primaryAccounts["urn:ietf:params:jmap:mail"] ?? Object.keys(accounts)[0] ?? "";
}

/** Finds out whether somebody is signed in, and opens their mail. */
export async function begin(): Promise<void> {
  try {
    open(await fetchSession());
  } catch (error) {
    if (error instanceof SignedOut) {
      endSession();
      void dropKept();
      phase.value = "signed-out";
      // What is shown stays; push tries again.
    } else if (!mail.peek()) await beginWithKept();
  }
}

/** Without a line, with what was kept of the last time; push finds when it is back. */
async function beginWithKept(): Promise<void> {
  const kept = await loadKept();
  if (kept) open(kept.session, kept);
  else phase.value = "unreachable";
}

function open(session: Session, kept?: Kept): void {
  const remembered = localStorage.getItem(loginKey);
  let seen = session.state;
  const onSessionState = (state: string) => {
    if (state === seen) return;
    seen = state;
    void refresh(session);
  };
  const jmap = new Jmap({ session, onSignedOut: endSession, onSessionState });
  const accounts = new Map<Id, Account>();
  const outbox = new Outbox(
    (letter) => deliver(accounts, letter),
    (error) => error instanceof ConnectionLost,
  );
  if (remembered !== null && remembered !== session.username) outbox.clear();
  localStorage.setItem(loginKey, session.username);
  for (const [id, about] of Object.entries(session.accounts)) {
    if (about.accountCapabilities["urn:ietf:params:jmap:mail"])
      accounts.set(id, new Account({ id, about, jmap, outbox }));
  }
  const push = new Push({
    session,
    types: syncedTypes,
    onChange: (change) => {
      for (const [id, changed] of Object.entries(change)) accounts.get(id)?.hear(changed);
    },
    onLive: () => {
      void outbox.flush();
      for (const one of accounts.values()) void one.catchUp().catch(() => {});
    },
    onRefused: () => void begin(),
  });
  for (const [id, { contents, ...known }] of Object.entries(kept?.accounts ?? {})) {
    accounts.get(id)?.restore(known);
    for (const content of contents) keptContents(id).keep(content);
  }
  mail.peek()?.push.close();
  mail.value = { session, jmap, push, outbox, accounts };
  wasSignedOut.value = false;
  phase.value = "ready";
}

/** Something about the session changed. Only other accounts are worth beginning again. */
async function refresh(before: Session): Promise<void> {
  const now = await fetchSession().catch(() => undefined);
  if (now && mail.peek()?.session === before && describe(now) !== describe(before)) open(now);
}

const describe = ({ accounts }: Session): string =>
  JSON.stringify(Object.entries(accounts).map(([id, { name, isReadOnly }]) => [id, name, isReadOnly]));

const loginKey = "posthorn.login";

/** Sends a letter, and in the same request asks what changed by it: mailboxes, lists and states are right at once. */
async function deliver(accounts: ReadonlyMap<Id, Account>, { accountId, update, destroy }: Letter): Promise<Refused> {
  const account = accounts.get(accountId);
  if (!account) return new Map();
  const set = account.jmap.call("Email/set", { accountId, update, destroy });
  void account.catchUp().catch(() => {});
  const { notUpdated, notDestroyed } = await set;
  return new Map(Object.entries({ ...notUpdated, ...notDestroyed }).map(([id, { type }]) => [id, type]));
}

/** Ends the session everywhere in this browser. */
export async function leave(): Promise<void> {
  await Promise.all([...openComposers].map((composer) => composer.save()));
  await signOut();
  for (const composer of openComposers) composer.forget();
  tabs.postMessage("signed-out");
  for (const key of Object.keys(localStorage))
    if (key.startsWith("posthorn.") && key !== "posthorn.prefs") localStorage.removeItem(key);
  endSession();
}

/** What is being written stays where it is: the composer keeps its own copy. */
function endSession(): void {
  const current = mail.peek();
  if (!current) return;
  current.push.close();
  wasSignedOut.value = true;
  mail.value = undefined;
  phase.value = "signed-out";
  forgetContents();
  void dropKept();
}

keepFrom(() => mail.peek());
// Whatever comes or changes shows in the counts.
effect(() => {
  for (const one of mail.value?.accounts.values() ?? []) if (one.mailboxes.value.size > 0) remember();
});
