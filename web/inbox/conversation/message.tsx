import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { t } from "../../messages/conversation.ts";
import { longDate, shortDate } from "../../shared/dates.ts";
import { Icon, type IconName } from "../../shared/icons.tsx";
import type { EmailAddress } from "../../shared/jmap/types.ts";
import { number } from "../../shared/messages.ts";
import type { Account } from "../../shared/store/account.ts";
import type { EmailRecord } from "../../shared/store/email-record.ts";
import { Delivery } from "../delivery/delivery.tsx";
import type { Content } from "../kept-contents.ts";
import { MailBody } from "./body-view.tsx";
import { LeaveList } from "./leave.tsx";
import { type Origin, readOrigin } from "./origin.ts";
import { OriginBadge, OriginResults, Warnings } from "./origin-view.tsx";
import { calledBy, inFull, toWhom } from "./people.ts";
import { mailName, mailPath, Source } from "./source.tsx";
import { SpamReasons } from "./spam.tsx";
import { waysToLeave } from "./unsubscribe.ts";
import { answer, continueDraft, writeTo } from "./write.ts";

interface Props {
  account: Account;
  email: EmailRecord;
  content: Content | undefined;
  isOpen: boolean;
  isJunk: boolean;
  /** It is in the mailbox of sent mail. */
  isSent: boolean;
  onToggle(): void;
  onWhole(): void;
}

/** One mail of a conversation: a line when folded, all of it when open. */
export function Message(props: Props) {
  const { account, email, isOpen } = props;
  const author = email.from?.[0];
  const name = calledBy(account, author);
  const isUnread = !email.keywords?.$seen;
  const isDraft = email.keywords?.$draft === true;
  return (
    <article class={`mail ${isOpen ? "is-open" : "is-folded"} ${isUnread ? "is-unread" : ""}`} data-id={email.id}>
      <header class="mail-head">
        <button type="button" class="mail-toggle" aria-expanded={isOpen} onClick={props.onToggle}>
          {isUnread && <span class="visually-hidden">{t("unreadMail")}</span>}
          <span class="mail-author" dir="auto">
            {name}
          </span>
          {isOpen && author && author.email !== name && <bdi class="mail-address">{author.email}</bdi>}
          {isDraft && <span class="badge is-draft">{t("draft")}</span>}
          {!isOpen && (
            <span class="mail-preview muted" dir="auto">
              {email.preview}
            </span>
          )}
        </button>
        <span class="mail-marks">
          {email.keywords?.$answered && <Mark name="reply" label={t("answeredMail")} />}
          {email.keywords?.$forwarded && <Mark name="forward" label={t("forwardedMail")} />}
          {email.hasAttachment && !isOpen && <Mark name="paperclip" label={t("attachments", { n: 1 })} />}
          {email.keywords?.$flagged && <Mark name="star" label={t("flagged")} />}
          <time class="muted" dateTime={email.receivedAt} title={email.receivedAt && longDate(email.receivedAt)}>
            {email.receivedAt && shortDate(email.receivedAt)}
          </time>
        </span>
      </header>
      {isOpen && (isDraft ? <DraftBody {...props} /> : <OpenMail {...props} />)}
    </article>
  );
}

function Mark({ name, label }: { name: IconName; label: string }) {
  return (
    <span class={`mail-mark is-${name}`} role="img" aria-label={label} title={label}>
      <Icon name={name} isFilled={name === "star"} />
    </span>
  );
}

function DraftBody({ account, email }: Props) {
  return (
    <div class="mail-body">
      <p dir="auto">{email.preview}</p>
      <button type="button" class="button" onClick={() => continueDraft(account, email)}>
        <Icon name="draft" />
        {t("continueDraft")}
      </button>
    </div>
  );
}

type Shown = "source" | "headers" | "spam" | "leave";

function OpenMail(props: Props) {
  const { account, email, content } = props;
  const [isDetailed, setDetailed] = useState(false);
  const [shown, setShown] = useState<Shown | undefined>(undefined);
  const close = () => setShown(undefined);
  const origin = originOf(props);
  const leaving = content ? waysToLeave(content, account.jmap.session) : [];
  const receivers = [...(email.to ?? []), ...(email.cc ?? [])];
  return (
    <>
      <div class="mail-about">
        <span class="muted mail-to" dir="auto">
          {toWhom(account, receivers)}
        </span>
        {origin && <OriginBadge origin={origin} />}
        <button type="button" class="link is-small" aria-expanded={isDetailed} onClick={() => setDetailed(!isDetailed)}>
          {isDetailed ? t("hideDetails") : t("details")}
        </button>
        {leaving.length > 0 && (
          <button type="button" class="link is-small" onClick={() => setShown("leave")}>
            {t("unsubscribe")}
          </button>
        )}
        <MailMenu {...props} onShow={setShown} />
      </div>
      {props.isSent && <Delivery account={account} emailId={email.id} />}
      {isDetailed && <Details email={email} origin={origin} />}
      {origin && <Warnings origin={origin} scan={content?.scan} />}
      {content && origin ? (
        <MailBody
          {...{ account, email, content, origin }}
          isJunk={props.isJunk}
          onWhole={props.onWhole}
          onMailto={writeTo}
        />
      ) : (
        <div class="mail-body is-waiting" aria-busy="true" />
      )}
      <footer class="mail-foot">
        <Answer icon="reply" label={t("reply")} onClick={() => answer(account, email, "reply")} />
        {receivers.length > 1 && (
          <Answer icon="reply-all" label={t("replyAll")} onClick={() => answer(account, email, "replyAll")} />
        )}
        <Answer icon="forward" label={t("forward")} onClick={() => answer(account, email, "forward")} />
      </footer>
      {shown === "source" && <Source {...{ account, email }} isHeader={false} onClose={close} />}
      {shown === "headers" && <Source {...{ account, email }} isHeader onClose={close} />}
      {shown === "spam" && content?.scan && <SpamReasons scan={content.scan} onClose={close} />}
      {shown === "leave" && leaving.length > 0 && <LeaveList {...{ account, email }} ways={leaving} onClose={close} />}
    </>
  );
}

function originOf({ email, content }: Props): Origin | undefined {
  if (!content) return undefined;
  return readOrigin(content.authentication, email.from?.[0]?.email ?? "");
}

function Answer({ icon, label, onClick }: { icon: IconName; label: string; onClick(): void }) {
  return (
    <button type="button" class="button" onClick={onClick}>
      <Icon name={icon} />
      {label}
    </button>
  );
}

function Details({ email, origin }: { email: EmailRecord; origin: Origin | undefined }) {
  return (
    <dl class="facts mail-details">
      <Addresses name={t("from")} people={email.from} />
      <Addresses name={t("to")} people={email.to} />
      <Addresses name={t("cc")} people={email.cc} />
      <Addresses name={t("bcc")} people={email.bcc} />
      <Addresses name={t("replyTo")} people={email.replyTo} />
      <dt>{t("date")}</dt>
      <dd>{email.receivedAt && longDate(email.receivedAt)}</dd>
      {origin && <OriginResults origin={origin} />}
    </dl>
  );
}

function Addresses({ name, people }: { name: string; people: EmailAddress[] | null | undefined }) {
  if (!people?.length) return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>
        {people.map((one, index) => (
          <bdi key={index} class="address">
            {inFull(one)}
          </bdi>
        ))}
      </dd>
    </>
  );
}

/** What is done with a mail less often. */
function MailMenu({ account, email, content, onShow }: Props & { onShow(what: Shown): void }) {
  const [isOpen, setOpen] = useState(false);
  const choose = (run: () => void) => () => {
    setOpen(false);
    run();
  };
  return (
    <details
      class="menu"
      open={isOpen}
      onToggle={(event) => setOpen(event.currentTarget.open)}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !isOpen) return;
        event.stopPropagation();
        setOpen(false);
        event.currentTarget.querySelector("summary")?.focus();
      }}
      onFocusOut={(event) => {
        if (event.relatedTarget && !event.currentTarget.contains(event.relatedTarget as Node)) setOpen(false);
      }}
    >
      <summary class="icon-button" aria-label={t("more")} title={t("more")}>
        <Icon name="more" />
      </summary>
      <ul class="menu-items">
        <MenuItem onClick={choose(() => printMail(email))}>{t("print")}</MenuItem>
        <MenuItem onClick={choose(() => onShow("source"))}>{t("showSource")}</MenuItem>
        <MenuItem onClick={choose(() => onShow("headers"))}>{t("showHeaders")}</MenuItem>
        <li>
          <a
            class="menu-item"
            href={mailPath(account, email)}
            download={mailName(email)}
            onClick={() => setOpen(false)}
          >
            {t("downloadMail")}
          </a>
        </li>
        {content?.scan && (
          <MenuItem onClick={choose(() => onShow("spam"))}>
            {t("spamReasons")} ({number(content.scan.score)})
          </MenuItem>
        )}
      </ul>
    </details>
  );
}

function MenuItem({ onClick, children }: { onClick(): void; children: ComponentChildren }) {
  return (
    <li>
      <button type="button" class="menu-item" onClick={onClick}>
        {children}
      </button>
    </li>
  );
}

/** Prints one mail; the browser's own printing takes all that are open. */
function printMail({ id, subject }: EmailRecord): void {
  const article = document.querySelector(`article.mail[data-id="${CSS.escape(id)}"]`);
  const { title } = document;
  article?.classList.add("is-printed");
  document.title = subject || title;
  print();
  document.title = title;
  article?.classList.remove("is-printed");
}
