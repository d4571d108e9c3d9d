import { useState } from "preact/hooks";
import { t } from "../../messages/conversation.ts";
import { t as shared } from "../../messages/shared.ts";
import { Dialog } from "../../shared/dialog.tsx";
import type { Identity } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";
import type { EmailRecord } from "../../shared/store/email-record.ts";
import { toast } from "../../shared/toasts.tsx";
import type { Leaving } from "./unsubscribe.ts";

interface Props {
  account: Account;
  email: EmailRecord;
  leaving: Leaving;
  onClose(): void;
}

/** Asks before a list is left, and says what will happen. */
export function LeaveList({ account, email, leaving, onClose }: Props) {
  const [isSending, setSending] = useState(false);
  const send = async (mail: Leaving & { way: "mail" }) => {
    setSending(true);
    try {
      await sendLeaving(account, email, mail);
      toast({ text: t("unsubscribed") });
      onClose();
    } catch {
      setSending(false);
      toast({ text: t("unsubscribeFailed"), isError: true });
    }
  };
  return (
    <Dialog title={t("unsubscribeTitle")} onClose={onClose}>
      <p>
        {leaving.way === "mail"
          ? t("unsubscribeByMail", { address: leaving.to })
          : t("unsubscribeByPage", { host: leaving.host })}
      </p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={onClose}>
          {shared("cancel")}
        </button>
        {leaving.way === "mail" ? (
          <button type="button" class="button is-primary" disabled={isSending} onClick={() => void send(leaving)}>
            {t("unsubscribeSend")}
          </button>
        ) : (
          <a
            class="button is-primary"
            href={leaving.url}
            target="_blank"
            rel="noopener noreferrer nofollow"
            onClick={onClose}
          >
            {t("unsubscribeOpen")}
          </a>
        )}
      </div>
    </Dialog>
  );
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
