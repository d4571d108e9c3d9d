import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../../messages/mailboxes.ts";
import { t as tScheduled } from "../../messages/scheduled.ts";
import { t as tShell } from "../../messages/shell.ts";
import { Button, IconButton } from "../../shared/button.tsx";
import { Icon } from "../../shared/icons.tsx";
import type { Id, Mailbox } from "../../shared/jmap/types.ts";
import { number } from "../../shared/messages.ts";
import type { Account } from "../../shared/store/account.ts";
import { toast } from "../../shared/toasts.tsx";
import { lazy } from "../lazy.tsx";
import { leave, primaryId, theAccount, theMail } from "../mail.ts";
import { currentMailbox } from "../place.ts";
import { formatRoute, go } from "../route.ts";
import { lookForScheduled, scheduledOf } from "../scheduled/known.ts";
import { compose } from "../seams.ts";
import type { Editing } from "./edit.tsx";
import { type Branch, inOrder, mailboxIcon, mailboxName, routeKey } from "./names.ts";

const ScheduledDialog = lazy(() => import("../scheduled/scheduled.tsx").then((module) => module.ScheduledDialog), {
  isDialog: true,
});
const DeletedDialog = lazy(() => import("../deleted/deleted.tsx").then((module) => module.DeletedDialog), {
  isDialog: true,
});
const MailboxDialogs = lazy(() => import("./edit.tsx").then((module) => module.MailboxDialogs), { isDialog: true });

const closed = signal<ReadonlySet<Id>>(new Set());
const editing = signal<Editing | undefined>(undefined);

/** The mailboxes of the open account, and the other accounts. */
export function Sidebar() {
  const { session, accounts } = theMail();
  const current = theAccount();
  const others = [...accounts.values()].filter(({ id }) => id !== current.id);
  return (
    <nav class="sidebar" aria-label={t("mailboxes")}>
      <div class="sidebar-head">
        <strong class="brand">{current.about.name}</strong>
        {current.about.isReadOnly && <span class="muted">{t("readOnly")}</span>}
      </div>
      <Button isPrimary icon="draft" onClick={() => compose({ kind: "new" })} class="compose-button">
        {tShell("compose")}
      </Button>
      <Tree account={current} />
      {others.length > 0 && (
        <div class="other-accounts">
          <h2>{t("shared")}</h2>
          <ul>
            {others.map(({ id, about }) => (
              <li key={id}>
                <a class="mailbox" href={formatRoute(inboxOf(id))}>
                  <Icon name="inbox" />
                  <span class="mailbox-name">{about.name}</span>
                </a>
              </li>
            ))}
          </ul>
        </div>
      )}
      <div class="sidebar-foot">
        <span class="muted" title={session.username}>
          {session.username}
        </span>
        <IconButton icon="sign-out" label={tShell("signOut")} onClick={() => void signOut()} />
      </div>
      {editing.value && <MailboxDialogs editing={editing} />}
    </nav>
  );
}

function inboxOf(accountId: Id) {
  const isOwn = accountId === primaryId(theMail().session);
  const place = { kind: "mailbox", key: "inbox" } as const;
  return { accountId: isOwn ? undefined : accountId, place, threadId: undefined, emailId: undefined };
}

async function signOut(): Promise<void> {
  await leave().catch(() => toast({ text: tShell("signOutFailed"), isError: true }));
}

function Tree({ account }: { account: Account }) {
  const branches = inOrder(account.mailboxes.value, (id) => !closed.value.has(id));
  const mayCreate = account.about.accountCapabilities["urn:ietf:params:jmap:mail"]?.mayCreateTopLevelMailbox === true;
  return (
    <div class="mailboxes">
      <ul>
        {branches.map((branch) => (
          <Row key={branch.mailbox.id} branch={branch} account={account} />
        ))}
      </ul>
      <ScheduledEntry account={account} />
      {account.about.isPersonal && <DeletedEntry account={account} />}
      {mayCreate && (
        <button
          type="button"
          class="mailbox new-mailbox"
          onClick={() => (editing.value = { kind: "create", parentId: null })}
        >
          <Icon name="plus" />
          <span class="mailbox-name">{t("create")}</span>
        </button>
      )}
    </div>
  );
}

/** The server tells nobody but an account's owner what was destroyed in it. */
function DeletedEntry({ account }: { account: Account }) {
  const isOpen = useSignal(false);
  if (!account.about.accountCapabilities["https://posthorn.example/jmap/undelete"]) return null;
  return (
    <>
      <button type="button" class="mailbox" onClick={() => (isOpen.value = true)}>
        <Icon name="trash" />
        <span class="mailbox-name">{t("deleted")}</span>
      </button>
      {isOpen.value && <DeletedDialog onClose={() => (isOpen.value = false)} />}
    </>
  );
}

const firstLookMs = 1_000;

/** Shown while something is to leave later. */
function ScheduledEntry({ account }: { account: Account }) {
  const isOpen = useSignal(false);
  const n = scheduledOf(account).value.length;
  useEffect(() => {
    // The list comes first.
    const timer = setTimeout(() => void lookForScheduled(account), firstLookMs);
    return () => clearTimeout(timer);
  }, [account]);
  return (
    <>
      {n > 0 && (
        <button type="button" class="mailbox scheduled-entry" onClick={() => (isOpen.value = true)}>
          <Icon name="clock" />
          <span class="mailbox-name">{tScheduled("title")}</span>
          <span class="count is-quiet">
            <span aria-hidden="true">{number(n)}</span>
            <span class="visually-hidden">{tScheduled("count", { n })}</span>
          </span>
        </button>
      )}
      {isOpen.value && <ScheduledDialog onClose={() => (isOpen.value = false)} />}
    </>
  );
}

function Row({ branch: { mailbox, depth, hasChildren }, account }: { branch: Branch; account: Account }) {
  const name = mailboxName(mailbox);
  const isCurrent = currentMailbox.value?.id === mailbox.id;
  const isClosed = closed.value.has(mailbox.id);
  const isOwn = account.id === primaryId(theMail().session);
  const place = { kind: "mailbox", key: routeKey(mailbox) } as const;
  const href = formatRoute({
    accountId: isOwn ? undefined : account.id,
    place,
    threadId: undefined,
    emailId: undefined,
  });
  const follow = (event: MouseEvent) => {
    // A new tab is the browser's business.
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go({ place });
  };
  const { mayRename, mayDelete, mayCreateChild } = mailbox.myRights;
  return (
    <li class="mailbox-row" style={{ "--depth": depth }}>
      <a class="mailbox" href={href} aria-current={isCurrent ? "page" : undefined} onClick={follow}>
        <Icon name={mailboxIcon(mailbox)} />
        <span class="mailbox-name">{name}</span>
        <Count mailbox={mailbox} />
      </a>
      {hasChildren && (
        <IconButton
          icon={isClosed ? "collapsed" : "expanded"}
          label={t(isClosed ? "expand" : "collapse", { name })}
          class="expander"
          onClick={() => toggle(mailbox.id)}
        />
      )}
      {mailbox.role === null && (mayRename || mayDelete || mayCreateChild) && (
        <IconButton
          icon="more"
          label={t("options", { name })}
          class="mailbox-options"
          onClick={() => (editing.value = { kind: "options", mailbox })}
        />
      )}
    </li>
  );
}

/** What waits to be read; of drafts, all. */
function Count({ mailbox }: { mailbox: Mailbox }) {
  const isDrafts = mailbox.role === "drafts";
  const isQuiet = mailbox.role === "trash" || mailbox.role === "sent";
  const n = isDrafts ? mailbox.totalEmails : isQuiet ? 0 : mailbox.unreadThreads;
  if (n === 0) return null;
  return (
    <span class={`count ${isDrafts || mailbox.role === "junk" ? "is-quiet" : ""}`}>
      <span aria-hidden="true">{number(n)}</span>
      <span class="visually-hidden">{isDrafts ? t("drafted", { n }) : t("unread", { n })}</span>
    </span>
  );
}

function toggle(id: Id): void {
  const next = new Set(closed.peek());
  if (!next.delete(id)) next.add(id);
  closed.value = next;
}
