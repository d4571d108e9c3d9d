import { useEffect, useState } from "preact/hooks";
import { t } from "../../messages/conversation.ts";
import { Dialog } from "../../shared/dialog.tsx";
import { Icon } from "../../shared/icons.tsx";
import { downloadPath } from "../../shared/jmap/blobs.ts";
import type { EmailBodyPart } from "../../shared/jmap/types.ts";
import { size } from "../../shared/messages.ts";
import type { Account } from "../../shared/store/account.ts";
import { isPicture } from "./body.ts";

interface Props {
  account: Account;
  files: readonly EmailBodyPart[];
}

/** A larger picture is not fetched for a preview. */
const maxPictureSize = 20_000_000;
const maxTextSize = 500_000;
/** Of more files some are shown at first, so that the answer's buttons are near. */
const maxShown = 24;

/** Never HTML or SVG: what would run as a page of ours is only ever downloaded. */
const isText = ({ type, name }: EmailBodyPart) =>
  /^text\/(?:plain|csv|tab-separated-values|markdown|rfc822-headers|x-.+)$|^application\/json$/.test(type) ||
  /^message\/(?:(?:global-)?delivery-status|global-headers|disposition-notification)$/.test(type) ||
  (type === "application/octet-stream" && /\.(?:txt|log|md|csv|json|diff|patch)$/i.test(name ?? ""));

const canPreview = (part: EmailBodyPart) =>
  part.blobId !== null && (isPicture(part) ? part.size <= maxPictureSize : isText(part));

/** The path of a file of the mail. What comes back is always a download (`Content-Disposition`), never a page. */
export function pathOf(account: Account, part: EmailBodyPart): string {
  const { blobId, type } = part;
  return downloadPath(account.jmap.session, account.id, { blobId: blobId!, name: nameOf(part), type });
}

/** Parts that have no name of their own, as in the reports of mail servers (RFC 3462). */
const namesOfTypes: Record<string, () => string> = {
  "message/rfc822": () => `${t("attachedMail")}.eml`,
  "message/global": () => `${t("attachedMail")}.eml`,
  "message/delivery-status": () => `${t("deliveryReport")}.txt`,
  "message/global-delivery-status": () => `${t("deliveryReport")}.txt`,
  "message/disposition-notification": () => `${t("readReceipt")}.txt`,
  "text/rfc822-headers": () => `${t("returnedHeader")}.txt`,
  "message/global-headers": () => `${t("returnedHeader")}.txt`,
};

export const nameOf = ({ name, type }: EmailBodyPart) => name?.trim() || (namesOfTypes[type]?.() ?? t("untitled"));

export function Attachments({ account, files }: Props) {
  const [shown, setShown] = useState<EmailBodyPart | undefined>(undefined);
  const [areAllShown, showAll] = useState(false);
  const there = files.filter(({ blobId }) => blobId !== null);
  if (there.length === 0) return null;
  return (
    <section class="attachments" aria-label={t("attachments", { n: there.length })}>
      <h2>{t("attachments", { n: there.length })}</h2>
      <ul>
        {there.slice(0, areAllShown ? there.length : maxShown).map((part, index) => (
          <li key={`${part.partId} ${index}`} class="attachment">
            {canPreview(part) ? (
              <button
                type="button"
                class="attachment-face"
                onClick={() => setShown(part)}
                aria-label={t("preview", { name: nameOf(part) })}
              >
                <Face account={account} part={part} />
              </button>
            ) : (
              <span class="attachment-face">
                <Face account={account} part={part} />
              </span>
            )}
            <span class="attachment-name" dir="auto" title={nameOf(part)}>
              {nameOf(part)}
            </span>
            <span class="muted">{size(part.size)}</span>
            <a
              class="icon-button"
              href={pathOf(account, part)}
              download={nameOf(part)}
              aria-label={t("downloadAll", { name: nameOf(part), size: size(part.size) })}
              title={t("download")}
            >
              <Icon name="download" />
            </a>
          </li>
        ))}
      </ul>
      {there.length > maxShown && !areAllShown && (
        <button type="button" class="link" onClick={() => showAll(true)}>
          {t("allAttachments", { n: there.length })}
        </button>
      )}
      {shown && <Preview account={account} part={shown} onClose={() => setShown(undefined)} />}
    </section>
  );
}

/** A small picture of a picture; the kind of all else. */
function Face({ account, part }: { account: Account; part: EmailBodyPart }) {
  if (isPicture(part) && part.size <= maxPictureSize) {
    return <img src={pathOf(account, part)} alt="" loading="lazy" decoding="async" />;
  }
  const kind = /\.(\w{1,5})$/.exec(part.name ?? "")?.[1] ?? part.type.split("/")[1] ?? "";
  return <span class="attachment-kind">{kind.length <= 5 ? kind : <Icon name="paperclip" />}</span>;
}

function Preview({ account, part, onClose }: { account: Account; part: EmailBodyPart; onClose(): void }) {
  return (
    <Dialog title={nameOf(part)} onClose={onClose} class="is-wide">
      {isPicture(part) ? (
        <img class="preview-picture" src={pathOf(account, part)} alt={nameOf(part)} />
      ) : (
        <TextPreview account={account} part={part} />
      )}
      <div class="dialog-actions">
        <a class="button" href={pathOf(account, part)} download={nameOf(part)}>
          <Icon name="download" />
          {t("download")} ({size(part.size)})
        </a>
      </div>
    </Dialog>
  );
}

function TextPreview({ account, part }: { account: Account; part: EmailBodyPart }) {
  const [text, setText] = useState<string | undefined>(undefined);
  useEffect(() => {
    if (part.size > maxTextSize) return setText(t("tooLargeToShow"));
    const stop = new AbortController();
    fetch(pathOf(account, part), stop)
      .then(async (response) => {
        if (!response.ok) throw new Error(response.statusText);
        setText(decoderOf(part.charset).decode(await response.arrayBuffer()));
      })
      .catch(() => stop.signal.aborted || setText(t("previewFailed")));
    return () => stop.abort();
  }, [part]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls can be scrolled by keys.
    <pre class="preview-text" dir="auto" tabIndex={0}>
      {text}
    </pre>
  );
}

function decoderOf(charset: string | null): TextDecoder {
  try {
    return new TextDecoder(charset ?? "utf-8");
  } catch {
    return new TextDecoder();
  }
}
