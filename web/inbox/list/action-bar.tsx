import { t } from "../../messages/list.ts";
import { IconButton } from "../../shared/button.tsx";
import { useKeys } from "../../shared/keys.ts";
import { theAccount } from "../mail.ts";
import { commands } from "./commands.ts";
import { targetsOf } from "./targets.ts";

interface Props {
  of: "list" | "conversation";
}

/** Buttons for what can be done to the selected rows, or to the open conversation. */
export function ActionBar({ of }: Props) {
  const account = theAccount();
  const targets = targetsOf(account, of);
  const isReadOnly = account.about.isReadOnly;
  const usable = commands.filter((command) => !isReadOnly && command.isFor(targets, account));
  useKeys(
    () => t("conversation"),
    commands.map((command) => ({
      keys: [command.key],
      label: command.label,
      when: () => usable.includes(command),
      run: () => command.run(targetsOf(account, of)),
    })),
  );
  return (
    <div class="actions" role="toolbar" aria-label={t("actions")}>
      {usable.map((command) => (
        <IconButton
          key={command.id}
          icon={command.icon}
          label={command.label()}
          isFilled={command.isFilled ?? false}
          class={command.isFilled ? "is-starred" : ""}
          onClick={() => command.run(targetsOf(account, of))}
        />
      ))}
    </div>
  );
}
