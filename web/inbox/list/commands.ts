import { signal } from "@preact/signals";
import { t } from "../../messages/actions.ts";
import type { IconName } from "../../shared/icons.tsx";
import type { Id, Mailbox } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";
import type { EmailRecord } from "../../shared/store/email-record.ts";
import { toast } from "../../shared/toasts.tsx";
import { destroy, type Patches, patchesFor, perform } from "../actions.ts";
import { theAccount } from "../mail.ts";
import { mailboxName } from "../mailboxes/names.ts";
import { currentMailbox, currentSource } from "../place.ts";
import { go, route } from "../route.ts";
import { clearSelection, selected } from "./selection.ts";
import { isMuted, isStarred, isUnread, type Target } from "./targets.ts";
import type { Change } from "./whole.ts";

/** A dialog that an action waits for. */
export type Asking =
  | { kind: "move" | "label"; targets: Target[] }
  | { kind: "destroy"; targets: Target[] }
  /** For all that the list's query finds. */
  | { kind: "moveWhole" }
  | { kind: "destroyWhole" };
export const asking = signal<Asking | undefined>(undefined);

export interface Command {
  id: string;
  icon: IconName;
  /** Gmail's. */
  key: string;
  label(): string;
  isFilled?: boolean;
  /** Whether it makes sense here. */
  isFor(targets: readonly Target[], account: Account): boolean;
  run(targets: Target[]): void;
  /** The same for all that the list's query finds; undefined where that makes no sense. */
  runWhole?(): void;
}

const all = (targets: readonly Target[]): EmailRecord[] => targets.flatMap(({ emails }) => emails);
const idsOf = (emails: readonly EmailRecord[]): Id[] => emails.map(({ id }) => id);
const role = () => currentMailbox.value?.role;

/** Takes emails from where they are shown, and puts them there. Of a conversation, all that lie here go along. */
export function moveTo(
  targets: readonly Target[],
  to: Mailbox,
  text: string,
  keywords: Record<string, true | null> = {},
): void {
  const account = theAccount();
  const here = currentMailbox.peek();
  const emails = all(targets).filter(({ mailboxIds }) => here === undefined || mailboxIds?.[here.id]);
  const patches: Patches = {};
  for (const { id, mailboxIds } of emails) {
    const left = here ? [here.id] : placesToLeave(account, mailboxIds ?? {});
    const places = Object.fromEntries(left.filter((one) => one !== to.id).map((one) => [one, null]));
    Object.assign(patches, patchesFor([id], { keywords, mailboxIds: { ...places, [to.id]: true } }));
  }
  done(() => perform(account, patches, text));
}

/** From a search, mail leaves all but what it says of itself: that it was sent, or is a draft. */
function placesToLeave(account: Account, mailboxIds: Record<Id, true>): Id[] {
  const stays = new Set(["sent", "drafts", "scheduled"]);
  return Object.keys(mailboxIds).filter((id) => !stays.has(account.mailboxes.peek().get(id)?.role ?? ""));
}

function moveToRole(
  targets: readonly Target[],
  role: string,
  text: (name: string) => string,
  keywords: Record<string, true | null> = {},
): void {
  const to = theAccount().byRole(role);
  if (to) moveTo(targets, to, text(mailboxName(to)), keywords);
  else toast({ text: t("noMailbox"), isError: true });
}

/** Changes all that the list's query finds. The code for that comes when it is needed. */
export async function changeWhole(change: Change, text: (n: number) => string): Promise<void> {
  const account = theAccount();
  const source = currentSource.peek();
  if (!source) return;
  clearSelection();
  const whole = await import("./whole.ts");
  await whole.changeAll(account, source, change, text);
}

export function moveWhole(to: Mailbox, text: (n: number) => string, keywords: Record<string, true | null> = {}): void {
  const here = currentMailbox.peek();
  const leaves = (mailboxIds: Record<Id, true>) => placesToLeave(theAccount(), mailboxIds);
  void changeWhole(moving(here, leaves, to, keywords), text);
}

/** Takes each email from where the list shows it, and puts it there. */
function moving(
  here: Mailbox | undefined,
  leaves: (mailboxIds: Record<Id, true>) => Id[],
  to: Mailbox,
  keywords: Record<string, true | null> = {},
): Change {
  return ({ id, mailboxIds = {} }) => {
    const left = (here ? [here.id] : leaves(mailboxIds)).filter((one) => one !== to.id && mailboxIds[one]);
    const places = Object.fromEntries(left.map((one) => [one, null]));
    return patchesFor([id], { keywords, mailboxIds: { ...places, [to.id]: true } })[id]!;
  };
}

function moveWholeToRole(role: string, keywords: Record<string, true | null> = {}): void {
  const to = theAccount().byRole(role);
  if (to) moveWhole(to, (n) => t("movedMails", { n, name: mailboxName(to) }), keywords);
  else toast({ text: t("noMailbox"), isError: true });
}

function keywordWhole(keyword: string, value: true | null): void {
  void changeWhole(
    ({ id }) => patchesFor([id], { keywords: { [keyword]: value } })[id]!,
    (n) => t("changedMails", { n }),
  );
}

/** What is acted on leaves the view: the selection ends, and a conversation that is gone from here closes. */
function done(act: () => void): void {
  const { threadId } = route.peek();
  act();
  clearSelection();
  if (threadId !== undefined) go({ threadId: undefined, emailId: undefined }, { replace: true });
}

/** docs/jmap.md, "Muted conversations": the server files to the archive what comes of it later. */
function mute(targets: readonly Target[]): void {
  const account = theAccount();
  const [inbox, archive] = [account.byRole("inbox"), account.byRole("archive")];
  const patches: Patches = {};
  for (const { id, mailboxIds } of all(targets)) {
    const isMoved = inbox && archive && mailboxIds?.[inbox.id];
    const places = isMoved ? { [inbox.id]: null, [archive.id]: true as const } : {};
    Object.assign(patches, patchesFor([id], { keywords: { $muted: true, $seen: true }, mailboxIds: places }));
  }
  const act = () => perform(account, patches, t("muted", { n: targets.length }));
  if (role() === "inbox") done(act);
  else act();
}

function setKeyword(
  targets: readonly Target[],
  keyword: string,
  value: true | null,
  text: string,
  of = all(targets),
): void {
  perform(theAccount(), patchesFor(idsOf(of), { keywords: { [keyword]: value } }), text);
}

const newest = ({ emails }: Target): EmailRecord[] => emails.slice(-1);

export const commands: readonly Command[] = [
  {
    id: "archive",
    icon: "archive",
    key: "e",
    label: () => t("archive"),
    isFor: (targets, account) => targets.length > 0 && role() !== "archive" && account.byRole("archive") !== undefined,
    run: (targets) => moveToRole(targets, "archive", () => t("archived", { n: targets.length })),
    runWhole: () => moveWholeToRole("archive"),
  },
  {
    id: "junk",
    icon: "junk",
    key: "!",
    label: () => t("junk"),
    isFor: (targets) => targets.length > 0 && role() !== "junk" && role() !== "drafts" && role() !== "sent",
    run: (targets) =>
      moveToRole(targets, "junk", () => t("junked", { n: targets.length }), { $junk: true, $notjunk: null }),
    runWhole: () => moveWholeToRole("junk", { $junk: true, $notjunk: null }),
  },
  {
    id: "notJunk",
    icon: "inbox",
    key: "!",
    label: () => t("notJunk"),
    isFor: (targets) => targets.length > 0 && role() === "junk",
    run: (targets) =>
      moveToRole(targets, "inbox", () => t("unjunked", { n: targets.length }), { $junk: null, $notjunk: true }),
    runWhole: () => moveWholeToRole("inbox", { $junk: null, $notjunk: true }),
  },
  {
    id: "remove",
    icon: "trash",
    key: "#",
    label: () => (role() === "trash" ? t("destroy") : t("remove")),
    isFor: (targets) => targets.length > 0,
    run: (targets) => {
      if (role() === "trash") asking.value = { kind: "destroy", targets };
      else moveToRole(targets, "trash", () => t("removed", { n: targets.length }));
    },
    runWhole: () => {
      if (role() === "trash") asking.value = { kind: "destroyWhole" };
      else moveWholeToRole("trash");
    },
  },
  {
    id: "markUnread",
    icon: "unread",
    key: "U",
    label: () => t("markUnread"),
    isFor: (targets) => targets.length > 0 && !all(targets).some(isUnread),
    run: (targets) => setKeyword(targets, "$seen", null, t("markedUnread"), targets.flatMap(newest)),
    runWhole: () => keywordWhole("$seen", null),
  },
  {
    id: "markRead",
    icon: "read",
    key: "I",
    label: () => t("markRead"),
    isFor: (targets) => all(targets).some(isUnread),
    run: (targets) => setKeyword(targets, "$seen", true, t("markedRead")),
    runWhole: () => keywordWhole("$seen", true),
  },
  {
    id: "star",
    icon: "star",
    key: "s",
    label: () => t("star"),
    isFor: (targets) => targets.length > 0 && !all(targets).some(isStarred),
    run: (targets) => setKeyword(targets, "$flagged", true, t("starred"), targets.flatMap(newest)),
  },
  {
    id: "unstar",
    icon: "star",
    key: "s",
    isFilled: true,
    label: () => t("unstar"),
    isFor: (targets) => all(targets).some(isStarred),
    run: (targets) => setKeyword(targets, "$flagged", null, t("unstarred")),
  },
  {
    id: "mute",
    icon: "mute",
    key: "m",
    label: () => t("mute"),
    isFor: (targets) =>
      targets.length > 0 && ["inbox", "archive"].includes(role() ?? "") && !all(targets).some(isMuted),
    run: mute,
  },
  {
    id: "unmute",
    icon: "unmute",
    key: "m",
    label: () => t("unmute"),
    isFor: (targets) => all(targets).some(isMuted),
    run: (targets) => setKeyword(targets, "$muted", null, t("unmuted"), all(targets).filter(isMuted)),
  },
  {
    id: "move",
    icon: "move",
    key: "v",
    label: () => t("move"),
    isFor: (targets) => targets.length > 0,
    run: (targets) => (asking.value = { kind: "move", targets }),
    runWhole: () => (asking.value = { kind: "moveWhole" }),
  },
  {
    id: "label",
    icon: "tag",
    key: "l",
    label: () => t("label"),
    isFor: (targets) => targets.length > 0,
    run: (targets) => (asking.value = { kind: "label", targets }),
  },
];

export function destroyAll(targets: readonly Target[]): void {
  const here = currentMailbox.peek();
  const emails = all(targets).filter(({ mailboxIds }) => here === undefined || mailboxIds?.[here.id]);
  done(() => destroy(theAccount(), idsOf(emails), t("destroyed", { n: targets.length })));
}

/** Adds and removes mailboxes of all emails of the targets that lie here. */
export function setLabels(targets: readonly Target[], mailboxIds: Record<Id, true | null>): void {
  perform(theAccount(), patchesFor(idsOf(all(targets)), { mailboxIds }), t("labelled"));
  if (selected.peek().size > 0) clearSelection();
}
