import { t } from "../../messages/actions.ts";
import { t as tShared } from "../../messages/shared.ts";
import { Button } from "../../shared/button.tsx";
import { Dialog } from "../../shared/dialog.tsx";
import type { Mailbox } from "../../shared/jmap/types.ts";
import { mailboxName } from "../mailboxes/names.ts";
import { asking, changeWhole, destroyAll, moveTo, moveWhole, setLabels } from "./commands.ts";
import { PickLabels, PickMailbox } from "./pick-mailbox.tsx";
import { stopWork, type Work, work } from "./work.ts";

/** The dialog that an action waits for. */
export function Asked() {
  const current = asking.value;
  const close = () => (asking.value = undefined);
  if (work.value) return <Working {...work.value} />;
  if (!current) return null;
  if (current.kind === "moveWhole") {
    const pick = (mailbox: Mailbox) => {
      close();
      moveWhole(mailbox, (n) => t("movedMails", { n, name: mailboxName(mailbox) }));
    };
    return <PickMailbox onPick={pick} onClose={close} />;
  }
  if (current.kind === "destroyWhole") {
    const destroy = () => {
      close();
      void changeWhole("destroy", (n) => t("destroyedMails", { n }));
    };
    return <Destroy text={t("destroyWholeAsk")} onDestroy={destroy} onClose={close} />;
  }
  if (current.kind === "move") {
    const { targets } = current;
    const pick: Parameters<typeof PickMailbox>[0]["onPick"] = (mailbox) => {
      close();
      moveTo(targets, mailbox, t("moved", { n: targets.length, name: mailboxName(mailbox) }));
    };
    return <PickMailbox onPick={pick} onClose={close} />;
  }
  if (current.kind === "label") {
    const { targets } = current;
    const apply: Parameters<typeof PickLabels>[0]["onApply"] = (mailboxIds) => {
      close();
      setLabels(targets, mailboxIds);
    };
    return <PickLabels targets={targets} onApply={apply} onClose={close} />;
  }
  const { targets } = current;
  const destroy = () => {
    close();
    destroyAll(targets);
  };
  return <Destroy text={t("destroyAsk", { n: targets.length })} onDestroy={destroy} onClose={close} />;
}

function Destroy({ text, onDestroy, onClose }: { text: string; onDestroy(): void; onClose(): void }) {
  return (
    <Dialog title={t("destroy")} onClose={onClose}>
      <p>{text}</p>
      <div class="dialog-actions">
        <Button onClick={onClose}>{tShared("cancel")}</Button>
        <Button isDanger onClick={onDestroy}>
          {t("destroy")}
        </Button>
      </div>
    </Dialog>
  );
}

/** How far the work on many emails has come. */
function Working({ text, done, total, isStopped }: Work) {
  return (
    <Dialog title={text} onClose={stopWork}>
      <progress class="progress" max={total || 1} value={total ? done : undefined} aria-label={text} />
      <p class="muted">{total > 0 && t("workedOn", { done, total })}</p>
      <div class="dialog-actions">
        <Button disabled={isStopped} onClick={stopWork}>
          {t("stop")}
        </Button>
      </div>
    </Dialog>
  );
}
