import { useEffect, useState } from "preact/hooks";
import { t } from "../../messages/deleted.ts";
import { Button } from "../../shared/button.tsx";
import { longDate } from "../../shared/dates.ts";
import { Dialog } from "../../shared/dialog.tsx";
import type { DeletedEmail, Id } from "../../shared/jmap/types.ts";
import { toast } from "../../shared/toasts.tsx";
import { theAccount } from "../mail.ts";
import { mailboxName } from "../mailboxes/names.ts";

const pageSize = 50;
const dayS = 24 * 3600;

interface Shown {
  list: readonly DeletedEmail[];
  keptFor: number;
  next: string | null;
}

/** What was destroyed lately, the newest first, and how it comes back. */
export function DeletedDialog({ onClose }: { onClose(): void }) {
  const account = theAccount();
  const [shown, setShown] = useState<Shown>();
  const [isBusy, setBusy] = useState(false);
  const attempt = async (work: () => Promise<void>) => {
    setBusy(true);
    await work().catch((error: Error) => toast({ text: t("failed", { reason: error.message }), isError: true }));
    setBusy(false);
  };
  const more = async (known: readonly DeletedEmail[], after: string | null) => {
    const page = await account.jmap.call("DeletedEmail/list", { accountId: account.id, limit: pageSize, after });
    setShown({ ...page, list: [...known, ...page.list] });
  };
  useEffect(() => void attempt(() => more([], null)), []);
  const restore = async (ids: readonly Id[]) => {
    const { restored, notRestored } = await account.jmap.call("DeletedEmail/restore", { accountId: account.id, ids });
    await account.catchUp();
    const left = Object.entries(notRestored ?? {}).filter(([, { type }]) => type !== "notFound");
    setShown(
      (now) =>
        now && { ...now, list: now.list.filter(({ id }) => !ids.includes(id) || left.some(([is]) => is === id)) },
    );
    const back = Object.values(restored ?? {});
    const places = new Set(back.flatMap(({ mailboxIds }) => Object.keys(mailboxIds)));
    const names = [...places].flatMap((id) => {
      const mailbox = account.mailboxes.peek().get(id);
      return mailbox ? [mailboxName(mailbox)] : [];
    });
    if (back.length > 0) toast({ text: t("restored", { n: back.length, places: names.join(", ") }) });
    else toast({ text: t(left.length > 0 ? "noRoom" : "gone"), isError: true });
  };
  const list = shown?.list ?? [];
  return (
    <Dialog title={t("title")} onClose={onClose}>
      {shown && <p class="muted">{t("kept", { n: Math.floor(shown.keptFor / dayS) })}</p>}
      {shown && list.length === 0 && <p>{t("none")}</p>}
      <ul class="scheduled-list">
        {list.map((one) => {
          const subject = one.subject || t("noSubject");
          return (
            <li key={one.id}>
              <span class="scheduled-about">
                <strong dir="auto">{subject}</strong>
                <span class="muted" dir="auto">
                  {t("about", { from: authorOf(one), date: longDate(one.deletedAt) })}
                </span>
              </span>
              <Button disabled={isBusy} onClick={() => void attempt(() => restore([one.id]))}>
                <span aria-hidden="true">{t("restore")}</span>
                <span class="visually-hidden">{t("restoreOf", { subject })}</span>
              </Button>
            </li>
          );
        })}
      </ul>
      {list.length > 0 && (
        <div class="dialog-actions">
          {shown?.next && (
            <Button disabled={isBusy} onClick={() => void attempt(() => more(list, shown.next))}>
              {t("more")}
            </Button>
          )}
          <Button disabled={isBusy} onClick={() => void attempt(() => restore(list.slice(0, 500).map(({ id }) => id)))}>
            {t("restoreAll")}
          </Button>
        </div>
      )}
    </Dialog>
  );
}

function authorOf({ from }: DeletedEmail): string {
  const [author] = from ?? [];
  return author ? author.name || author.email : t("nobody");
}
