import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../messages/conversation.ts";
import type { Id } from "../../shared/jmap/types.ts";
import { useKeys } from "../../shared/keys.ts";
import { prefs } from "../../shared/prefs.ts";
import type { Account } from "../../shared/store/account.ts";
import type { EmailRecord } from "../../shared/store/email-record.ts";
import { patchesFor, perform } from "../actions.ts";
import type { Content } from "../kept-contents.ts";
import { loadMails, loadWhole } from "./contents.ts";
import { Message } from "./message.tsx";
import { type Entry, entriesOf, openedAtFirst, shownOf } from "./order.ts";
import { answer } from "./write.ts";

export interface ConversationProps {
  account: Account;
  threadId: Id;
  /** The email to begin with, of a flat list or a search hit. */
  emailId: Id | undefined;
  /** Where it was opened from; undefined for a search. */
  mailboxId: Id | undefined;
}

/**
 * The emails of a thread, own answers included: what is new is open, what was read is folded. The shell shows Back and the
 * actions above it, and hands a new `key` for another thread.
 */
export function Conversation({ account, threadId, emailId, mailboxId }: ConversationProps) {
  const thread = account.threads.get(threadId).value;
  // The flat list shows each email by itself.
  const isAlone = emailId !== undefined && !prefs.value.conversations;
  const memberIds = isAlone ? [emailId] : (thread?.emailIds ?? []);
  const mails = memberIds.flatMap((id) => account.emails.get(id).value ?? []);
  const [areHiddenShown, setHiddenShown] = useState(false);
  const { shown, hidden } = shownOf(mails, account, mailboxId, areHiddenShown);
  const [opened, setOpened] = useState<ReadonlySet<Id>>(new Set());
  const [isSpread, setSpread] = useState(false);
  const [contents, setContents] = useState<ReadonlyMap<Id, Content>>(new Map());
  const [problem, setProblem] = useState<"gone" | "notLoaded" | undefined>(undefined);
  const seen = useRef(new Set<Id>());
  const title = useRef<HTMLHeadingElement>(null);
  const ids = shown.map(({ id }) => id).join(" ");

  const load = async () => {
    setProblem(undefined);
    try {
      await account.loadThreads([threadId]);
      if (!account.threads.has(threadId)) setProblem("gone");
    } catch {
      setProblem("notLoaded");
    }
  };
  const open = async (wanted: readonly EmailRecord[], isNew = false) => {
    setOpened((before) => new Set([...before, ...wanted.map(({ id }) => id)]));
    try {
      const found = await loadMails(
        account,
        isNew ? shown.map(({ id }) => id) : [],
        wanted.map(({ id }) => id),
      );
      setContents((before) => new Map([...before, ...found]));
    } catch {
      setProblem("notLoaded");
      return;
    }
    const unread = wanted.filter(({ keywords }) => !keywords?.$seen).map(({ id }) => id);
    if (account.about.isReadOnly) return;
    perform(account, patchesFor(unread, { keywords: { $seen: true } }));
  };

  useEffect(() => void load(), [threadId]);
  useEffect(() => {
    const fresh = shown.filter(({ id }) => !seen.current.has(id));
    if (fresh.length === 0) return;
    const isFirst = seen.current.size === 0;
    for (const { id } of fresh) seen.current.add(id);
    const begun = isFirst ? shown.filter(({ id }) => id === emailId) : [];
    void open(
      [...new Set([...openedAtFirst(isFirst ? shown : fresh, mailboxId === account.byRole("drafts")?.id), ...begun])],
      true,
    );
  }, [ids]);
  useEffect(() => {
    if (shown.length > 0) title.current?.focus({ preventScroll: true });
  }, [shown.length > 0]);

  const toggle = (email: EmailRecord) => {
    if (!opened.has(email.id)) return void open([email]);
    setOpened((before) => new Set([...before].filter((id) => id !== email.id)));
  };
  useConversationKeys({ account, shown, opened, toggle, openAll: () => void openAll(shown, open, setSpread) });

  if (problem && shown.length === 0) {
    return (
      <section class="conversation is-empty" aria-label={t("conversation")}>
        <p>{t(problem)}</p>
        {problem === "notLoaded" && (
          <button type="button" class="button" onClick={() => void load()}>
            {t("retry")}
          </button>
        )}
      </section>
    );
  }
  const subject = shown.find((email) => email.subject !== undefined)?.subject;
  return (
    <section class="conversation" aria-label={t("conversation")} aria-busy={shown.length === 0}>
      <div class="conversation-head">
        <h1 ref={title} tabIndex={-1} dir="auto">
          {shown.length > 0 && (subject || t("noSubject"))}
        </h1>
        {shown.length > 1 && (
          <button
            type="button"
            class="link is-small"
            onClick={() =>
              opened.size < shown.length ? void openAll(shown, open, setSpread) : setOpened(new Set([shown.at(-1)!.id]))
            }
          >
            {opened.size < shown.length ? t("openAll") : t("foldAll")}
          </button>
        )}
      </div>
      {entriesOf(shown, opened, isSpread).map((entry) => (
        <EntryView
          key={entry.key}
          {...{ entry, account, contents }}
          isOpen={entry.kind === "mail" && opened.has(entry.email.id)}
          onSpread={() => setSpread(true)}
          onToggle={toggle}
          onWhole={(id) =>
            void loadWhole(account, id)
              .then((content) => content && setContents((before) => new Map([...before, [id, content]])))
              .catch(() => setProblem("notLoaded"))
          }
        />
      ))}
      {hidden > 0 && (
        <button type="button" class="link" onClick={() => setHiddenShown(true)}>
          {t("hiddenMails", { n: hidden })}
        </button>
      )}
      {problem && (
        <p class="notice is-error" role="alert">
          {t(problem)}
        </p>
      )}
    </section>
  );
}

type Open = (wanted: readonly EmailRecord[]) => Promise<void>;

/** By portions: a conversation may have hundreds of mails. */
async function openAll(
  shown: readonly EmailRecord[],
  open: Open,
  setSpread: (isSpread: boolean) => void,
): Promise<void> {
  setSpread(true);
  const portion = 25;
  for (let at = 0; at < shown.length; at += portion) await open(shown.slice(at, at + portion));
}

interface EntryProps {
  entry: Entry;
  account: Account;
  contents: ReadonlyMap<Id, Content>;
  isOpen: boolean;
  onSpread(): void;
  onToggle(email: EmailRecord): void;
  onWhole(id: Id): void;
}

function EntryView({ entry, account, contents, isOpen, ...on }: EntryProps) {
  if (entry.kind === "folded") {
    return (
      <button type="button" class="folded-mails" onClick={on.onSpread}>
        {t("foldedMails", { n: entry.count })}
      </button>
    );
  }
  const { email } = entry;
  const isIn = (role: "junk" | "sent") => {
    const id = account.byRole(role)?.id;
    return id !== undefined && email.mailboxIds?.[id] === true;
  };
  return (
    <Message
      {...{ account, email, isOpen }}
      content={contents.get(email.id)}
      isJunk={isIn("junk")}
      isSent={isIn("sent")}
      onToggle={() => on.onToggle(email)}
      onWhole={() => on.onWhole(email.id)}
    />
  );
}

interface Keys {
  account: Account;
  shown: readonly EmailRecord[];
  opened: ReadonlySet<Id>;
  toggle(email: EmailRecord): void;
  openAll(): void;
}

/** The mail that keys are about: the one that has the focus, or else the newest that is open. */
function useConversationKeys({ account, shown, opened, toggle, openAll }: Keys): void {
  const articles = () => [...document.querySelectorAll<HTMLElement>("article.mail")];
  const currentOf = (mails: readonly EmailRecord[]) => {
    const focused = document.activeElement?.closest<HTMLElement>("article.mail")?.dataset.id;
    return mails.find(({ id }) => id === focused) ?? mails.findLast(({ id }) => opened.has(id)) ?? mails.at(-1);
  };
  const step = (by: 1 | -1) => {
    const all = articles();
    const at = all.findIndex((one) => one.contains(document.activeElement));
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
    next?.querySelector<HTMLElement>(".mail-toggle")?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "start" });
  };
  const withCurrent =
    (run: (email: EmailRecord) => void, mails = shown) =>
    () => {
      const email = currentOf(mails);
      if (email) run(email);
    };
  // A draft is none to answer.
  const answering = (kind: "reply" | "replyAll" | "forward") =>
    withCurrent(
      (email) => answer(account, email, kind),
      shown.filter(({ keywords }) => !keywords?.$draft),
    );
  useKeys(
    () => t("conversation"),
    [
      { keys: ["n"], label: () => t("nextMail"), run: () => step(1) },
      { keys: ["p"], label: () => t("previousMail"), run: () => step(-1) },
      { keys: ["o"], label: () => t("foldOrOpen"), run: withCurrent(toggle) },
      { keys: [";"], label: () => t("openAll"), run: openAll },
      { keys: ["r"], label: () => t("reply"), run: answering("reply") },
      { keys: ["a"], label: () => t("replyAll"), run: answering("replyAll") },
      { keys: ["f"], label: () => t("forward"), run: answering("forward") },
    ],
  );
}
