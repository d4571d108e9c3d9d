import { t as tActions } from "../../messages/actions.ts";
import { t } from "../../messages/list.ts";
import { t as tScheduled } from "../../messages/scheduled.ts";
import { IconButton } from "../../shared/button.tsx";
import { shortDate, shortMoment } from "../../shared/dates.ts";
import { Icon } from "../../shared/icons.tsx";
import type { EmailAddress, Id } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";
import type { EmailList } from "../../shared/store/email-list.ts";
import type { EmailRecord } from "../../shared/store/email-record.ts";
import { patchesFor, perform } from "../actions.ts";
import { theMail } from "../mail.ts";
import { mailboxName } from "../mailboxes/names.ts";
import { currentMailbox } from "../place.ts";
import { formatRoute, route } from "../route.ts";
import { scheduledOf } from "../scheduled/known.ts";
import { Marked } from "../search/marked.tsx";
import { snippetOf } from "../search/snippets.ts";
import { openRow, placeOfRow } from "./open-row.ts";
import { cursor, selected, selectRange, toggleSelected } from "./selection.ts";
import { isMuted, isStarred, isUnread, membersOf } from "./targets.ts";

interface Props {
  id: Id;
  row: number;
  length: number;
  list: EmailList;
  account: Account;
}

/** One conversation: who, what, when, and what can be done at once. It reads the records it shows, and renders again for these alone. */
export function Row({ id, row, length, list, account }: Props) {
  const email = account.emails.get(id).value;
  if (!email) return <GapRow />;
  const members = membersOf(account, id).flatMap((one) => account.emails.get(one).value ?? []);
  const unread = members.some(isUnread);
  const starred = members.some(isStarred);
  const isSelected = selected.value.has(id);
  const isAtCursor = cursor.value === id || (cursor.value === undefined && row === 0);
  const isOpen = route.value.threadId === email.threadId;
  const names = whoIs(email, members, account);
  const face = faceOf(email, members, account);
  const isSearch = route.value.place.kind === "search";
  const snippet = isSearch ? snippetOf(account, list.source.filter, id) : undefined;
  const tabIndex = isAtCursor ? 0 : -1;
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.button !== 0) return;
    event.preventDefault();
    if (event.shiftKey) void selectRange(list, id);
    else openRow(id);
  };
  const select = (event: MouseEvent) => {
    if (event.shiftKey) void selectRange(list, id);
    else toggleSelected(id);
  };
  const toggleStar = () => {
    const ids = starred ? members.filter(isStarred).map((one) => one.id) : [id];
    perform(
      account,
      patchesFor(ids, { keywords: { $flagged: starred ? null : true } }),
      tActions(starred ? "unstarred" : "starred"),
    );
  };
  const classes = `row ${unread ? "is-unread" : ""} ${isSelected ? "is-selected" : ""} ${isOpen ? "is-open" : ""}`;
  const href = formatRoute({ ...route.value, ...placeOfRow(id) });
  return (
    <li class={classes} data-row={id} aria-setsize={length} aria-posinset={row + 1}>
      <button
        type="button"
        class="avatar-button"
        aria-pressed={isSelected}
        aria-label={t("select", { names })}
        tabIndex={tabIndex}
        onClick={select}
      >
        <span class="avatar" style={{ "--hue": hueOf(face?.email ?? "") }} aria-hidden="true">
          {isSelected ? <Icon name="check" /> : initialsOf(face ? fullName(face) : "")}
        </span>
      </button>
      <a
        class="row-link"
        href={href}
        tabIndex={tabIndex}
        aria-current={isOpen ? "true" : undefined}
        draggable={false}
        onClick={follow}
        onFocus={() => (cursor.value = id)}
      >
        <span class="row-top">
          {unread && <span class="visually-hidden">{t("unread")}</span>}
          <span class="row-names">{names}</span>
          {members.length > 1 && <span class="row-members">{members.length}</span>}
          <span class="row-marks">
            {members.some(isMuted) && (
              <>
                <Icon name="mute" class="small" />
                <span class="visually-hidden">{t("muted")}</span>
              </>
            )}
            {members.some(({ keywords }) => keywords?.$answered) && <Icon name="reply" class="small" />}
            {email.hasAttachment && (
              <>
                <Icon name="paperclip" class="small" />
                <span class="visually-hidden">{t("attachment")}</span>
              </>
            )}
            <time dateTime={email.receivedAt}>{email.receivedAt && shortDate(email.receivedAt)}</time>
          </span>
        </span>
        <span class="row-text">
          <span class="row-subject" dir="auto">
            {members.some(({ keywords }) => keywords?.$draft) && <span class="row-draft">{t("draft")}</span>}
            <Marked snippet={snippet?.subject} text={email.subject || t("noSubject")} />
          </span>
          <span class="row-preview" dir="auto">
            <Leaving members={members} account={account} />
            <Labels members={members} account={account} />
            <Marked snippet={snippet?.preview} text={email.preview ?? ""} />
          </span>
        </span>
      </a>
      <span class="row-star">
        <IconButton
          icon="star"
          label={tActions(starred ? "unstar" : "star")}
          isFilled={starred}
          class={starred ? "is-starred" : ""}
          onClick={toggleStar}
        />
      </span>
    </li>
  );
}

/** Where a row will be. */
export function GapRow() {
  return (
    <li class="row is-gap" aria-hidden="true">
      <span class="avatar" />
      <span class="gap-lines" />
    </li>
  );
}

/** When a mail of the conversation is to leave, if that is later. */
function Leaving({ members, account }: { members: readonly EmailRecord[]; account: Account }) {
  const scheduled = scheduledOf(account).value;
  if (scheduled.length === 0) return null;
  const ids = new Set(members.map(({ id }) => id));
  const next = scheduled.find(({ emailId }) => ids.has(emailId));
  if (!next) return null;
  return (
    <span class="label is-scheduled">
      <Icon name="clock" class="small" />
      {tScheduled("leaves", { date: shortMoment(next.sendAt) })}
    </span>
  );
}

/** The mailboxes without a role that the conversation lies in, beside the open one. */
function Labels({ members, account }: { members: readonly EmailRecord[]; account: Account }) {
  const here = currentMailbox.value?.id;
  const ids = new Set(members.flatMap(({ mailboxIds }) => Object.keys(mailboxIds ?? {})));
  const isSearch = route.value.place.kind === "search";
  const shown = [...ids]
    .flatMap((id) => account.mailboxes.value.get(id) ?? [])
    .filter(({ id, role }) => id !== here && (role === null || isSearch));
  return (
    <>
      {shown.map((mailbox) => (
        <span key={mailbox.id} class="label">
          {mailboxName(mailbox)}
        </span>
      ))}
    </>
  );
}

const maxNames = 3;

/** Whom the conversation is with, oldest first; of sent mail and drafts, to whom it goes. */
function whoIs(email: EmailRecord, members: readonly EmailRecord[], account: Account): string {
  const mine = ownAddresses(account);
  const isMine = ({ from }: EmailRecord) => mine.has(from?.[0]?.email.toLowerCase() ?? "");
  // What one sent oneself and nobody has answered is found by whom it went to.
  const isLoneFind = route.value.place.kind === "search" && members.length <= 1 && isMine(email);
  if (isOutgoing() || isLoneFind) return t("to", { names: namesOf(email.to) || t("nobody") });
  const authors = (members.length > 0 ? members : [email]).flatMap(({ from }) => from?.[0] ?? []);
  const isOne = members.length <= 1;
  const names = authors.map((one) =>
    !isOne && mine.has(one.email.toLowerCase()) ? t("me") : isOne ? fullName(one) : shortName(one),
  );
  const unique = [...new Set(names)];
  if (unique.length === 1 && authors[0] && unique[0] !== t("me")) return fullName(authors[0]);
  const some = unique.length > maxNames ? [unique[0], "…", ...unique.slice(1 - maxNames)] : unique;
  return some.join(", ").replace(", …,", " …") || t("nobody");
}

/** The newest author who is somebody else; of sent mail and drafts, the first recipient. */
function faceOf(email: EmailRecord, members: readonly EmailRecord[], account: Account): EmailAddress | undefined {
  if (isOutgoing()) return email.to?.[0] ?? email.from?.[0];
  const mine = ownAddresses(account);
  const authors = members.flatMap(({ from }) => from?.[0] ?? []);
  return authors.findLast((one) => !mine.has(one.email.toLowerCase())) ?? email.from?.[0];
}

const isOutgoing = () => ["sent", "drafts", "scheduled"].includes(currentMailbox.value?.role ?? "");
const ownAddresses = (account: Account) =>
  new Set([account.about.name.toLowerCase(), theMail().session.username.toLowerCase()]);

const namesOf = (people: EmailAddress[] | null | undefined) => (people ?? []).map(fullName).join(", ");
const fullName = ({ name, email }: EmailAddress) => name?.trim() || email;
const shortName = (person: EmailAddress) => {
  const full = fullName(person);
  // "Mail Delivery System" is nobody's first name.
  if (/^(mailer-daemon|postmaster)@/i.test(person.email)) return full;
  return full === person.email ? full.split("@")[0]! : full.split(/[\s,]+/)[0]!;
};

function initialsOf(names: string): string {
  const letter = [...names.replace(/^[^\p{L}\p{N}]+/u, "")][0];
  return letter?.toUpperCase() ?? "?";
}

/** The same colour for the same person. */
function hueOf(text: string): number {
  let hash = 0;
  for (const char of text.toLowerCase()) hash = (hash * 31 + char.codePointAt(0)!) % 360;
  return hash;
}
