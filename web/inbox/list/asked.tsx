import { t } from "../../messages/actions.ts";
import { t as tShared } from "../../messages/shared.ts";
import { Button } from "../../shared/button.tsx";
import { Dialog } from "../../shared/dialog.tsx";
import { mailboxName } from "../mailboxes/names.ts";
import { asking, destroyAll, moveTo, setLabels } from "./commands.ts";
import { PickLabels, PickMailbox } from "./pick-mailbox.tsx";

/** The dialog that an action waits for. */
export function Asked() {
  const current = asking.value;
  const close = () => (asking.value = undefined);
  if (!current) return null;
  const { kind, targets } = current;
  if (kind === "move") {
    const pick: Parameters<typeof PickMailbox>[0]["onPick"] = (mailbox) => {
      close();
      moveTo(targets, mailbox, t("moved", { n: targets.length, name: mailboxName(mailbox) }));
    };
    return <PickMailbox onPick={pick} onClose={close} />;
  }
  if (kind === "label") {
    const apply: Parameters<typeof PickLabels>[0]["onApply"] = (mailboxIds) => {
      close();
      setLabels(targets, mailboxIds);
    };
    return <PickLabels targets={targets} onApply={apply} onClose={close} />;
  }
  const destroy = () => {
    close();
    destroyAll(targets);
  };
  return (
    <Dialog title={t("destroy")} onClose={close}>
      <p>{t("destroyAsk", { n: targets.length })}</p>
      <div class="dialog-actions">
        <Button onClick={close}>{tShared("cancel")}</Button>
        <Button isDanger onClick={destroy}>
          {t("destroy")}
        </Button>
      </div>
    </Dialog>
  );
}
