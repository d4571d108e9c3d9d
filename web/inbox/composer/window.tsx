import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../messages/composer.ts";
import { ask } from "../../shared/ask.tsx";
import { Button, IconButton } from "../../shared/button.tsx";
import { useKeys } from "../../shared/keys.ts";
import { setPrefs } from "../../shared/prefs.ts";
import { announce, toast } from "../../shared/toasts.tsx";
import { type ComposeIntent, composing } from "../seams.ts";
import { FileList } from "./file-list.tsx";
import { KnownRecipients } from "./known-recipients.ts";
import type { Pictures } from "./pictures.ts";
import { nodesOf, textOf } from "./plain.ts";
import { PlainText } from "./plain-text.tsx";
import { Recipients } from "./recipients.tsx";
import { RichText } from "./rich-text.tsx";
import { SendLater } from "./send-later.tsx";
import { useSending } from "./sending.ts";
import { exchangeSignature } from "./signature.ts";
import { fields, type Writing } from "./writing.ts";

interface Props {
  intent: ComposeIntent;
  writing: Writing;
  pictures: Pictures;
  isRemoteShown: boolean;
}

/** The mail that is being written, beside or over what is read. */
export function ComposerWindow({ intent, writing, pictures, isRemoteShown }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const known = useRef(new KnownRecipients(writing.account)).current;
  const hasCopies = useSignal(writing.cc.peek().length + writing.bcc.peek().length > 0);
  const isLarge = useSignal(false);
  const isDropping = useSignal(false);
  /** Counts how often the text was put in by us, so that the editor begins anew. */
  const edition = useSignal(0);
  const sending = useSending(writing, known);
  const title = useComputed(() =>
    writing.subject.value === "" ? t("title") : t("titleOf", { subject: writing.subject.value }),
  );
  const isAnswer = intent.kind === "reply" || intent.kind === "replyAll";

  useEffect(() => {
    void known.load();
  }, []);

  const close = () => {
    const wasChanged = writing.isDirty || writing.status.peek() === "saved";
    writing.close();
    if (wasChanged) toast({ text: t("savedToDrafts") });
    composing.value = undefined;
  };
  const discard = async () => {
    const isEmpty = writing.status.peek() === "untouched" && writing.emailId === undefined;
    if (!isEmpty && !(await ask({ text: t("discardAsk"), yes: t("discard"), isDanger: true }))) return;
    writing.discard().catch((error: Error) => toast({ text: error.message, isError: true }));
    if (!isEmpty) announce(t("discarded"));
    composing.value = undefined;
  };
  const attach = (list: FileList | null | undefined) => {
    for (const file of list ?? []) writing.files.add(file);
  };
  const changeIdentity = (id: string) => {
    const before = writing.identity.peek();
    const { body } = writing;
    writing.identityId.value = id;
    writing.readBody = undefined;
    writing.body = exchangeSignature(body, before, writing.identity.peek(), pictures);
    edition.value++;
    writing.changed();
  };
  const changeKind = async () => {
    const isRich = writing.isRich.peek();
    const isLossy = isRich && /<(b|i|u|img|a|ul|ol|table|blockquote)\b/i.test(writing.body.html ?? "");
    if (isLossy && !(await ask({ text: t("plainAsk"), yes: t("goOn") }))) return;
    const { body } = writing;
    writing.readBody = undefined;
    writing.body = isRich ? { text: body.text, html: undefined } : { text: body.text, html: toHtml(body.text) };
    setPrefs({ plainText: isRich });
    edition.value++;
    writing.changed();
  };

  useKeys(
    () => title.value,
    [
      { keys: ["Ctrl+Enter"], label: () => t("send"), run: () => sending.begin(), whileTyping: true },
      { keys: ["Ctrl+s"], label: () => t("statusSaved"), run: () => void writing.save(), whileTyping: true },
      { keys: ["Escape"], label: () => t("close"), run: close, whileTyping: true },
    ],
    { isOn: true },
  );

  return (
    <section aria-label={title} class="composer-place">
      <form
        ref={form}
        class={`composer ${isLarge.value ? "is-large" : ""} ${isDropping.value ? "is-dropping" : ""}`}
        onSubmit={(event) => {
          event.preventDefault();
          sending.begin();
        }}
        onPasteCapture={(event) => {
          const list = event.clipboardData?.files;
          // Pictures go into a rich text; what comes with words of its own is those words.
          if (!list?.length || event.clipboardData!.types.includes("text/html")) return;
          const isPicture = [...list].every(({ type }) => type.startsWith("image/"));
          if (isPicture && writing.isRich.peek()) return;
          event.preventDefault();
          event.stopPropagation();
          attach(list);
        }}
        onDragOver={(event) => {
          if (!event.dataTransfer?.types.includes("Files")) return;
          event.preventDefault();
          isDropping.value = true;
        }}
        onDragLeave={({ relatedTarget }) => {
          if (!form.current?.contains(relatedTarget as Node | null)) isDropping.value = false;
        }}
        onDropCapture={(event) => {
          isDropping.value = false;
          if (!event.dataTransfer?.files.length) return;
          event.preventDefault();
          event.stopPropagation();
          attach(event.dataTransfer.files);
        }}
      >
        <header class="composer-head">
          <h2>{title}</h2>
          <IconButton
            icon={isLarge.value ? "shrink" : "expand"}
            label={t(isLarge.value ? "shrink" : "expand")}
            class="composer-size"
            onClick={() => (isLarge.value = !isLarge.peek())}
          />
          <IconButton icon="close" label={t("close")} onClick={close} />
        </header>
        <div class="composer-fields">
          {intent.kind === "again" && intent.key !== undefined && <p class="notice">{t("restored")}</p>}
          <FromField writing={writing} onChange={changeIdentity} />
          {fields
            .filter((field) => field === "to" || hasCopies.value)
            .map((field) => (
              <Recipients
                key={field}
                field={field}
                writing={writing}
                known={known}
                refused={sending.badRecipients.value}
                isFocused={field === "to" && !isAnswer}
              />
            ))}
          {!hasCopies.value && (
            <button type="button" class="link composer-copies" onClick={() => (hasCopies.value = true)}>
              {t("showCopies")}
            </button>
          )}
          <label class="composer-field">
            <span>{t("subject")}</span>
            <input
              type="text"
              value={writing.subject}
              dir="auto"
              onInput={({ currentTarget }) => {
                writing.subject.value = currentTarget.value;
                writing.changed();
              }}
            />
          </label>
        </div>
        {writing.isRich.value ? (
          <RichText
            key={edition.value}
            writing={writing}
            pictures={pictures}
            isFocused={isAnswer}
            isRemoteShown={isRemoteShown}
          />
        ) : (
          <PlainText key={edition.value} writing={writing} isFocused={isAnswer} />
        )}
        <FileList files={writing.files} />
        {isDropping.value && <p class="composer-drop">{t("dropHere")}</p>}
        {sending.fault.value !== "" && (
          <p class="composer-fault fault" role="alert">
            {sending.fault}
          </p>
        )}
        <footer class="composer-foot">
          <Button submits isPrimary icon="send" disabled={sending.isBusy.value}>
            {t(sending.isBusy.value ? "sending" : "send")}
          </Button>
          <SendLater onChoose={(date) => sending.begin(date)} disabled={sending.isBusy.value} />
          <IconButton icon="paperclip" label={t("attach")} onClick={() => files.current?.click()} />
          <IconButton
            icon={writing.isRich.value ? "plain" : "rich"}
            label={t(writing.isRich.value ? "plain" : "rich")}
            onClick={() => void changeKind()}
          />
          <StatusText writing={writing} />
          <IconButton icon="trash" label={t("discard")} onClick={() => void discard()} />
          <input
            ref={files}
            type="file"
            multiple
            hidden
            aria-label={t("attach")}
            onChange={({ currentTarget }) => {
              attach(currentTarget.files);
              currentTarget.value = "";
            }}
          />
        </footer>
      </form>
    </section>
  );
}

function FromField({ writing, onChange }: { writing: Writing; onChange(id: string): void }) {
  const { identities } = writing;
  if (identities.length < 2) return null;
  return (
    <label class="composer-field">
      <span>{t("from")}</span>
      <select value={writing.identityId} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {identities.map(({ id, name, email }) => (
          <option key={id} value={id}>
            {name ? `${name} <${email}>` : email}
          </option>
        ))}
      </select>
    </label>
  );
}

function StatusText({ writing }: { writing: Writing }) {
  const texts = {
    untouched: () => "",
    changed: () => t("statusChanged"),
    saving: () => t("statusSaving"),
    saved: () => t("statusSaved"),
    waiting: () => t("statusWaiting"),
    refused: () => t("statusRefused", { reason: writing.fault.value }),
  };
  const status = writing.status.value;
  return <span class={`composer-status muted ${status === "refused" ? "is-bad" : ""}`}>{texts[status]()}</span>;
}

function toHtml(text: string): string {
  const holder = document.createElement("div");
  holder.append(nodesOf(text));
  return textOf(holder) === "" ? "" : holder.innerHTML;
}
