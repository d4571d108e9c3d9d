import { useSignal } from "@preact/signals";
import { t } from "../../messages/list.ts";
import { t as tShared } from "../../messages/shared.ts";
import { IconButton } from "../../shared/button.tsx";
import { Dialog } from "../../shared/dialog.tsx";
import { Icon } from "../../shared/icons.tsx";
import { useKeys } from "../../shared/keys.ts";
import { useMedia } from "../../shared/media.ts";
import type { Account } from "../../shared/store/account.ts";
import { theAccount } from "../mail.ts";
import { type Command, commands } from "./commands.ts";
import { isWhole, selected } from "./selection.ts";
import { targetsOf } from "./targets.ts";

interface Props {
  of: "list" | "conversation";
}

/** So many fit beside the rest on a phone, and beside the count of what is selected. */
const maxNarrow = 3;
const maxInList = 5;

/** Of a list that was only seen in part, all that can be done to any of it. */
const canDoWhole = ({ id, runWhole, isFor }: Command, account: Account) =>
  runWhole !== undefined && (id === "markRead" || id === "markUnread" || isFor([{ emails: [] }], account));

/** Buttons for what can be done to the selected rows, or to the open conversation. What does not fit is in a dialog, with words. */
export function ActionBar({ of }: Props) {
  const account = theAccount();
  const isNarrow = useMedia("(max-width: 699px)");
  const isMoreOpen = useSignal(false);
  const targets = targetsOf(account, of);
  const isAll = of === "list" && isWhole.value;
  const usable = commands.filter(
    (command) => !account.about.isReadOnly && (isAll ? canDoWhole(command, account) : command.isFor(targets, account)),
  );
  const run = (command: Command) => {
    isMoreOpen.value = false;
    if (isAll) command.runWhole?.();
    else command.run(targetsOf(account, of));
  };
  useKeys(
    () => t("conversation"),
    commands.map((command) => ({
      keys: [command.key],
      label: command.label,
      // What is selected goes before what is open.
      when: () => usable.includes(command) && (of === "list" || selected.peek().size === 0),
      run: () => run(command),
    })),
  );
  const max = isNarrow ? maxNarrow : of === "list" && usable.length > maxInList ? maxInList - 1 : usable.length;
  const shown = usable.slice(0, max);
  return (
    <div class="actions" role="toolbar" aria-label={t("actions")}>
      {shown.map((command) => (
        <IconButton
          key={command.id}
          icon={command.icon}
          label={command.label()}
          isFilled={command.isFilled ?? false}
          class={command.isFilled ? "is-starred" : ""}
          onClick={() => run(command)}
        />
      ))}
      {shown.length < usable.length && (
        <IconButton icon="more" label={tShared("more")} onClick={() => (isMoreOpen.value = true)} />
      )}
      {isMoreOpen.value && (
        <Dialog title={t("actions")} onClose={() => (isMoreOpen.value = false)}>
          <ul class="pick-list">
            {usable.map((command) => (
              <li key={command.id}>
                <button type="button" class="mailbox" onClick={() => run(command)}>
                  <Icon name={command.icon} isFilled={command.isFilled ?? false} />
                  <span class="mailbox-name">{command.label()}</span>
                </button>
              </li>
            ))}
          </ul>
        </Dialog>
      )}
    </div>
  );
}
