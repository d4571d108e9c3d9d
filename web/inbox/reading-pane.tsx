import { t } from "../messages/shell.ts";
import { IconButton } from "../shared/button.tsx";
import { useKeys } from "../shared/keys.ts";
import { lazy } from "./lazy.tsx";
import { ActionBar } from "./list/action-bar.tsx";
import { theAccount } from "./mail.ts";
import { currentMailbox } from "./place.ts";
import { leaveConversation, route } from "./route.ts";

const Conversation = lazy(() => import("./conversation/conversation.tsx").then((module) => module.Conversation));

/** The open conversation, with the way back and what can be done to it. */
export function ReadingPane() {
  const { threadId, emailId } = route.value;
  const isOpen = threadId !== undefined;
  useKeys(
    () => t("keysGeneral"),
    [{ keys: ["u", "Escape"], label: () => t("back"), run: leaveConversation, when: () => isOpen }],
  );
  if (threadId === undefined) {
    return (
      <section class="pane reading-pane is-empty">
        <p class="muted">{t("nothingOpen")}</p>
      </section>
    );
  }
  return (
    <section class="pane reading-pane">
      <div class="toolbar">
        <IconButton icon="back" label={t("back")} onClick={leaveConversation} />
        <ActionBar of="conversation" />
      </div>
      <Conversation
        key={`${threadId} ${emailId ?? ""}`}
        account={theAccount()}
        threadId={threadId}
        emailId={emailId}
        mailboxId={currentMailbox.value?.id}
      />
    </section>
  );
}
