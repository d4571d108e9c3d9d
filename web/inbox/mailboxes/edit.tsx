import type { Signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { t } from "../../messages/mailboxes.ts";
import { t as tShared } from "../../messages/shared.ts";
import { Button } from "../../shared/button.tsx";
import { Dialog } from "../../shared/dialog.tsx";
import type { Id, Mailbox } from "../../shared/jmap/types.ts";
import { toast } from "../../shared/toasts.tsx";
import { theAccount } from "../mail.ts";
import { go } from "../route.ts";
import { inOrder, mailboxName } from "./names.ts";
import { setMailbox } from "./set.ts";

export type Editing =
  | { kind: "create"; parentId: Id | null }
  | { kind: "options" | "rename" | "remove"; mailbox: Mailbox };

interface Props {
  editing: Signal<Editing | undefined>;
}

/** What can be done to mailboxes, each in a dialog. */
export function MailboxDialogs({ editing }: Props) {
  const current = editing.value;
  const close = () => (editing.value = undefined);
  if (!current) return null;
  if (current.kind === "options") return <Options mailbox={current.mailbox} editing={editing} />;
  if (current.kind === "remove") return <Remove mailbox={current.mailbox} onClose={close} />;
  return <NameForm editing={current} onClose={close} />;
}

function Options({ mailbox, editing }: Props & { mailbox: Mailbox }) {
  const { mayRename, mayDelete, mayCreateChild } = mailbox.myRights;
  return (
    <Dialog title={mailbox.name} onClose={() => (editing.value = undefined)}>
      {mayCreateChild && (
        <Button icon="plus" onClick={() => (editing.value = { kind: "create", parentId: mailbox.id })}>
          {t("create")}
        </Button>
      )}
      {mayRename && (
        <Button icon="draft" onClick={() => (editing.value = { kind: "rename", mailbox })}>
          {t("rename")}
        </Button>
      )}
      {mayDelete && (
        <Button icon="trash" onClick={() => (editing.value = { kind: "remove", mailbox })}>
          {t("remove")}
        </Button>
      )}
    </Dialog>
  );
}

function NameForm({
  editing,
  onClose,
}: {
  editing:
    | Exclude<Editing, { kind: "options" | "remove" }>
    | { kind: "rename" | "options" | "remove"; mailbox: Mailbox };
  onClose(): void;
}) {
  const account = theAccount();
  const [fault, setFault] = useState<string>();
  const before = editing.kind === "create" ? undefined : editing.mailbox;
  const parentId = editing.kind === "create" ? editing.parentId : editing.mailbox.parentId;
  // A mailbox cannot be inside itself.
  const parents = inOrder(account.mailboxes.value).filter(({ mailbox }) => !before || !isWithin(mailbox, before.id));
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const wanted = { name: String(fields.get("name")).trim(), parentId: String(fields.get("parent")) || null };
    const { fault } = await setMailbox(before ? { update: { [before.id]: wanted } } : { create: { new: wanted } });
    if (fault) return setFault(fault);
    toast({ text: t(before ? "renamed" : "created", { name: wanted.name }) });
    onClose();
  };
  return (
    <Dialog title={before ? t("rename") : t("create")} onClose={onClose}>
      <form class="form" onSubmit={(event) => void submit(event)}>
        <label class="field">
          <span>{t("name")}</span>
          <input class="input" name="name" required maxLength={200} defaultValue={before?.name ?? ""} data-first />
        </label>
        <label class="field">
          <span>{t("inside")}</span>
          <select class="input" name="parent" defaultValue={parentId ?? ""}>
            <option value="">{t("top")}</option>
            {parents.map(({ mailbox, depth }) => (
              <option key={mailbox.id} value={mailbox.id} selected={mailbox.id === parentId}>
                {"\u2003".repeat(depth) + mailboxName(mailbox)}
              </option>
            ))}
          </select>
        </label>
        <p class="error-text" role="alert">
          {fault}
        </p>
        <div class="dialog-actions">
          <Button onClick={onClose}>{tShared("cancel")}</Button>
          <Button isPrimary submits>
            {tShared("save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Remove({ mailbox, onClose }: { mailbox: Mailbox; onClose(): void }) {
  const [fault, setFault] = useState<string>();
  const { name, totalEmails: n } = mailbox;
  const hasChildren = [...theAccount().mailboxes.value.values()].some(({ parentId }) => parentId === mailbox.id);
  const remove = async () => {
    const { fault } = await setMailbox({ destroy: [mailbox.id] });
    if (fault) return setFault(fault);
    go({ place: { kind: "mailbox", key: "inbox" } }, { replace: true });
    toast({ text: t("removed", { name }) });
    onClose();
  };
  const question = n === 0 ? t("removeAskEmpty", { name }) : t("removeAsk", { n, name });
  return (
    <Dialog title={t("removeTitle")} onClose={onClose}>
      <p>{hasChildren ? t("hasChildren", { name }) : question}</p>
      <p class="error-text" role="alert">
        {fault}
      </p>
      <div class="dialog-actions">
        <Button onClick={onClose}>{tShared("cancel")}</Button>
        <Button isDanger disabled={hasChildren} onClick={() => void remove()}>
          {t("removeNow")}
        </Button>
      </div>
    </Dialog>
  );
}

function isWithin(mailbox: Mailbox, id: Id): boolean {
  const all = theAccount().mailboxes.peek();
  for (let one: Mailbox | undefined = mailbox; one; one = one.parentId ? all.get(one.parentId) : undefined) {
    if (one.id === id) return true;
  }
  return false;
}
