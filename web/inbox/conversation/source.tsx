import { useEffect, useState } from "preact/hooks";
import { t } from "../../messages/conversation.ts";
import { t as shared } from "../../messages/shared.ts";
import { Dialog } from "../../shared/dialog.tsx";
import { Icon } from "../../shared/icons.tsx";
import { downloadPath } from "../../shared/jmap/blobs.ts";
import { size } from "../../shared/messages.ts";
import type { Account } from "../../shared/store/account.ts";
import type { EmailRecord } from "../../shared/store/email-record.ts";

const maxShown = 300_000;

/** The path of the whole mail, as a file. */
export function mailPath(account: Account, { blobId, subject }: EmailRecord): string {
  return downloadPath(account.jmap.session, account.id, {
    blobId: blobId!,
    name: mailName({ subject }),
    type: "message/rfc822",
  });
}

/** A file's name made of the subject. */
export function mailName({ subject }: { subject?: string | null | undefined }): string {
  const plain = (subject ?? "")
    .replace(/[\p{C}\\/:*?"<>|]+/gu, " ")
    .trim()
    .replace(/\s+/g, " ");
  return `${[...plain].slice(0, 80).join("").replace(/^\.+/, "") || "mail"}.eml`;
}

interface Props {
  account: Account;
  email: EmailRecord;
  /** The header alone. */
  isHeader: boolean;
  onClose(): void;
}

/** A mail as it came, octet by octet: for those who want to know. */
export function Source({ account, email, isHeader, onClose }: Props) {
  const [text, setText] = useState<string | undefined>(undefined);
  const [isCut, setCut] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    const headers = { Range: `bytes=0-${maxShown - 1}` };
    fetch(mailPath(account, email), { headers, signal: stop.signal })
      .then(async (response) => {
        if (!response.ok) throw new Error(response.statusText);
        const source = new TextDecoder().decode(await response.arrayBuffer());
        setCut((email.size ?? 0) > maxShown);
        setText(isHeader ? (source.split(/\r?\n\r?\n/, 1)[0] ?? "") : source);
      })
      .catch(() => stop.signal.aborted || setText(t("previewFailed")));
    return () => stop.abort();
  }, [isHeader]);
  return (
    <Dialog title={isHeader ? t("showHeaders") : t("showSource")} onClose={onClose} class="is-wide">
      {isCut && !isHeader && <p class="muted">{t("sourceCut", { size: size(maxShown) })}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls can be scrolled by keys. */}
      <pre class="preview-text" tabIndex={0}>
        {text ?? shared("loading")}
      </pre>
      <div class="dialog-actions">
        <a class="button" href={mailPath(account, email)} download={mailName(email)}>
          <Icon name="download" />
          {t("downloadMail")}
        </a>
      </div>
    </Dialog>
  );
}
