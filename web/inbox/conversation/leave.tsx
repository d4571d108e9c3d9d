import { useState } from "preact/hooks";
import { t } from "../../messages/conversation.ts";
import { t as shared } from "../../messages/shared.ts";
import { Button } from "../../shared/button.tsx";
import { Dialog } from "../../shared/dialog.tsx";
import type { Identity } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";
import type { EmailRecord } from "../../shared/store/email-record.ts";
import { toast } from "../../shared/toasts.tsx";
import type { Leaving } from "./unsubscribe.ts";

interface Props {
  account: Account;
  email: EmailRecord;
  /** At least one, the best first. */
  ways: readonly Leaving[];
  onClose(): void;
}

/** Asks before a list is left, and says what will happen. When a way fails, the next one is offered. */
export function LeaveList({ account, email, ways, onClose }: Props) {
  const [at, setAt] = useState(0);
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const leaving = ways[at]!;
  const leave = async () => {
    setBusy(true);
    setFault("");
    const failed = await attempt(account, email, leaving);
    setBusy(false);
    if (failed === undefined) return onClose();
    setFault(failed);
    if (at + 1 < ways.length) setAt(at + 1);
  };
  const texts = {
    click: () => t("unsubscribeByClick", { host: (leaving as { host: string }).host }),
    mail: () => t("unsubscribeByMail", { address: (leaving as { to: string }).to }),
    page: () => t("unsubscribeByPage", { host: (leaving as { host: string }).host }),
  };
  return (
    <Dialog title={t("unsubscribeTitle")} onClose={onClose}>
      <p class="error-text" role="alert">
        {fault}
      </p>
      <p>{texts[leaving.way]()}</p>
      <div class="dialog-actions">
        <Button onClick={onClose}>{shared("cancel")}</Button>
        {leaving.way === "page" ? (
          <a
            class="button is-primary"
            href={leaving.url}
            target="_blank"
            rel="noopener noreferrer nofollow"
            onClick={onClose}
          >
            {t("unsubscribeOpen")}
          </a>
        ) : (
          <Button isPrimary disabled={isBusy} onClick={() => void leave()}>
            {t(leaving.way === "click" ? "unsubscribeClick" : "unsubscribeSend")}
          </Button>
        )}
      </div>
    </Dialog>
  );
}

/** Returns what went wrong, in words; undefined when the list was asked. */
async function attempt(account: Account, email: EmailRecord, leaving: Leaving): Promise<string | undefined> {
  try {
    if (leaving.way === "click") {
      const { isDone } = await account.jmap.call("Unsubscribe/post", { accountId: account.id, emailId: email.id });
      if (!isDone) return t("unsubscribeRefused", { host: leaving.host });
      toast({ text: t("unsubscribedByClick", { host: leaving.host }) });
    } else if (leaving.way === "mail") {
      await sendLeaving(account, email, leaving);
      toast({ text: t("unsubscribed") });
    }
    return undefined;
  } catch {
    return leaving.way === "click" ? t("unsubscribeRefused", { host: leaving.host }) : t("unsubscribeFailed");
  }
}

/** Rejects as calls do, or when the server refuses the mail. */
async function sendLeaving(
  account: Account,
  email: EmailRecord,
  { to, subject, body }: Leaving & { way: "mail" },
): Promise<void> {
  const { id: accountId, jmap } = account;
  const { list } = await jmap.call("Identity/get", { accountId, ids: null });
  const identity = identityFor(list, email);
  const drafts = account.byRole("drafts");
  const sent = account.byRole("sent") ?? drafts;
  if (!identity || !drafts || !sent) throw new Error("there is no identity to send as");
  const mail = {
    mailboxIds: { [drafts.id]: true },
    keywords: { $draft: true, $seen: true },
    from: [{ name: identity.name || null, email: identity.email }],
    to: [{ name: null, email: to }],
    subject,
    textBody: [{ partId: "1", type: "text/plain" }],
    bodyValues: { 1: { value: body } },
  };
  const created = jmap.call("Email/set", { accountId, create: { mail } });
  const submitted = jmap.call("EmailSubmission/set", {
    accountId,
    create: { leaving: { identityId: identity.id, emailId: "#mail" } },
    onSuccessUpdateEmail: {
      "#leaving": { mailboxIds: { [sent.id]: true }, "keywords/$draft": null },
    },
  });
  await created;
  const { notCreated } = await submitted;
  const refused = notCreated?.leaving;
  if (refused) throw new Error(refused.description ?? refused.type);
}

/** A list knows its readers by the address that its mails go to. */
function identityFor(identities: readonly Identity[], { to, cc }: EmailRecord): Identity | undefined {
  const addresses = new Set([...(to ?? []), ...(cc ?? [])].map(({ email }) => email.toLowerCase()));
  return identities.find(({ email }) => addresses.has(email.toLowerCase())) ?? identities[0];
}
