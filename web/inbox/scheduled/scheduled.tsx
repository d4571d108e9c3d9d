import { useEffect } from "preact/hooks";
import { t } from "../../messages/scheduled.ts";
import { Button } from "../../shared/button.tsx";
import { longDate } from "../../shared/dates.ts";
import { Dialog } from "../../shared/dialog.tsx";
import { rowProperties } from "../../shared/store/email-record.ts";
import { toast } from "../../shared/toasts.tsx";
import { takeBack } from "../composer/take-back.ts";
import { theAccount } from "../mail.ts";
import { compose } from "../seams.ts";
import { lookForScheduled, type Scheduled, scheduledOf } from "./known.ts";

/** What is to leave later: to whom and when, and how it is stopped. */
export function ScheduledDialog({ onClose }: { onClose(): void }) {
  const account = theAccount();
  const all = scheduledOf(account).value;
  const ids = all.map(({ emailId }) => emailId);
  useEffect(() => void lookForScheduled(account), []);
  useEffect(() => {
    const missing = ids.filter((id) => !account.emails.has(id));
    if (missing.length === 0) return;
    const asked = account.jmap.call("Email/get", { accountId: account.id, ids: missing, properties: rowProperties });
    asked.then(
      ({ list }) => account.emails.put(list),
      () => {},
    );
  }, [ids.join()]);
  const stop = async ({ submissionId, emailId }: Scheduled) => {
    try {
      const isStopped = await takeBack({ account, submissionId, emailId });
      toast({ text: t(isStopped ? "stopped" : "tooLate"), isError: !isStopped });
      await lookForScheduled(account);
      if (!isStopped) return;
      onClose();
      compose({ kind: "draft", accountId: account.id, emailId });
    } catch (error) {
      toast({ text: t("failed", { reason: (error as Error).message }), isError: true });
    }
  };
  return (
    <Dialog title={t("title")} onClose={onClose}>
      {all.length === 0 && <p class="muted">{t("none")}</p>}
      <ul class="scheduled-list">
        {all.map((one) => (
          <li key={one.submissionId}>
            <span class="scheduled-about">
              <strong dir="auto">{account.emails.get(one.emailId).value?.subject || t("noSubject")}</strong>
              <span class="muted">{t("to", { people: one.to.join(", ") })}</span>
              <span class="muted">{t("leaves", { date: longDate(one.sendAt) })}</span>
            </span>
            <Button onClick={() => void stop(one)}>{t("stop")}</Button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
