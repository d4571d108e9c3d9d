import { useState } from "preact/hooks";
import { t } from "../../messages/mailboxes.ts";
import { Button } from "../../shared/button.tsx";
import { Dialog } from "../../shared/dialog.tsx";
import { Icon } from "../../shared/icons.tsx";
import type { Id, Mailbox } from "../../shared/jmap/types.ts";
import { theAccount } from "../mail.ts";
import { type Branch, inOrder, mailboxIcon, mailboxName } from "../mailboxes/names.ts";
import { setMailbox } from "../mailboxes/set.ts";
import { currentMailbox } from "../place.ts";
import type { Target } from "./targets.ts";

/** What lies there was written here: other mail has no business in them. */
const ofWriting = new Set(["drafts", "sent", "scheduled"]);

interface PickProps {
  onPick(mailbox: Mailbox): void;
  onClose(): void;
}

/** Chooses where to move something: by typing a part of its name and Enter, or by a click. */
export function PickMailbox({ onPick, onClose }: PickProps) {
  const [text, setText] = useState("");
  const here = currentMailbox.value?.id;
  const branches = matching(text).filter(({ mailbox }) => mailbox.id !== here && !ofWriting.has(mailbox.role ?? ""));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const [first] = branches;
    if (first) onPick(first.mailbox);
  };
  return (
    <Dialog title={t("pick")} onClose={onClose}>
      <form onSubmit={submit}>
        <Find onText={setText} />
      </form>
      <ul class="pick-list">
        {branches.map(({ mailbox, depth }) => (
          <li key={mailbox.id}>
            <button
              type="button"
              class="mailbox"
              style={{ "--depth": text === "" ? depth : 0 }}
              onClick={() => onPick(mailbox)}
            >
              <Icon name={mailboxIcon(mailbox)} />
              <span class="mailbox-name">{mailboxName(mailbox)}</span>
            </button>
          </li>
        ))}
      </ul>
      <NewMailbox name={text.trim()} onMade={onPick} isNone={branches.length === 0} />
    </Dialog>
  );
}

interface LabelProps {
  targets: readonly Target[];
  onApply(mailboxIds: Record<Id, true | null>): void;
  onClose(): void;
}

/** Chooses the mailboxes that emails lie in, as labels: an email may lie in several. A part of a name and Enter turns the first one over. */
export function PickLabels({ targets, onApply, onClose }: LabelProps) {
  const [text, setText] = useState("");
  const [changed, setChanged] = useState<Record<Id, true | null>>({});
  const emails = targets.flatMap((target) => target.emails);
  const branches = matching(text).filter(({ mailbox }) => mailbox.role === null || mailbox.role === "important");
  const countIn = (id: Id) => emails.filter(({ mailboxIds }) => mailboxIds?.[id]).length;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const first = text.trim() === "" || Object.keys(changed).length > 0 ? undefined : branches[0];
    onApply(first ? { [first.mailbox.id]: countIn(first.mailbox.id) === emails.length ? null : true } : changed);
  };
  return (
    <Dialog title={t("pickLabels")} onClose={onClose}>
      <form onSubmit={submit} class="form">
        <Find onText={setText} />
        <ul class="pick-list">
          {branches.map(({ mailbox }) => {
            const now = changed[mailbox.id];
            const count = countIn(mailbox.id);
            const isOn = now === undefined ? count > 0 : now === true;
            return (
              <li key={mailbox.id}>
                <label class="check">
                  <input
                    type="checkbox"
                    checked={isOn}
                    ref={(input) => {
                      if (input) input.indeterminate = now === undefined && count > 0 && count < emails.length;
                    }}
                    onChange={(event) =>
                      setChanged({ ...changed, [mailbox.id]: event.currentTarget.checked ? true : null })
                    }
                  />
                  <span class="mailbox-name">{mailbox.name}</span>
                </label>
              </li>
            );
          })}
        </ul>
        {branches.length === 0 && text.trim() === "" && <p class="muted">{t("noLabels")}</p>}
        <NewMailbox
          name={text.trim()}
          isNone={branches.length === 0 && text.trim() !== ""}
          onMade={({ id }) => setChanged({ ...changed, [id]: true })}
        />
        <div class="dialog-actions">
          <Button isPrimary submits>
            {t("apply")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Of what was typed and is no mailbox's name, one can be made at once. */
function NewMailbox({ name, isNone, onMade }: { name: string; isNone: boolean; onMade(mailbox: Mailbox): void }) {
  const [fault, setFault] = useState("");
  const account = theAccount();
  const may = account.about.accountCapabilities["urn:ietf:params:jmap:mail"]?.mayCreateTopLevelMailbox === true;
  const isTaken = [...account.mailboxes.value.values()].some(
    (one) => mailboxName(one).toLowerCase() === name.toLowerCase(),
  );
  if (name === "" || isTaken || !may) return isNone ? <p class="muted">{t("none")}</p> : null;
  const make = async () => {
    const { fault = "", madeId } = await setMailbox({ create: { new: { name, parentId: null } } });
    setFault(fault);
    const made = madeId === undefined ? undefined : account.mailboxes.peek().get(madeId);
    if (made) onMade(made);
  };
  return (
    <>
      <button type="button" class="mailbox new-mailbox" onClick={() => void make()}>
        <Icon name="plus" />
        <span class="mailbox-name">{t("createNamed", { name })}</span>
      </button>
      {fault !== "" && (
        <p class="error-text" role="alert">
          {fault}
        </p>
      )}
    </>
  );
}

function Find({ onText }: { onText(text: string): void }) {
  return (
    <input
      class="input"
      type="search"
      aria-label={t("find")}
      placeholder={t("find")}
      data-first
      onInput={(event) => onText(event.currentTarget.value)}
    />
  );
}

function matching(text: string): Branch[] {
  const wanted = text.trim().toLowerCase();
  return inOrder(theAccount().mailboxes.value).filter(({ mailbox }) =>
    mailboxName(mailbox).toLowerCase().includes(wanted),
  );
}
