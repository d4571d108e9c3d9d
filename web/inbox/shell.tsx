import { effect, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t as tMailbox } from "../messages/mailboxes.ts";
import { t } from "../messages/shell.ts";
import { IconButton } from "../shared/button.tsx";
import { Icon } from "../shared/icons.tsx";
import { useKeys } from "../shared/keys.ts";
import { identitiesOf } from "./composer/identities.ts";
import { restoreWriting } from "./composer/restore.ts";
import { lazy } from "./lazy.tsx";
import { ConversationList } from "./list/conversation-list.tsx";
import { account, theAccount, theMail } from "./mail.ts";
import { mailboxName } from "./mailboxes/names.ts";
import { Sidebar } from "./mailboxes/sidebar.tsx";
import { OfflineBar } from "./offline-bar.tsx";
import { currentMailbox } from "./place.ts";
import { ReadingPane } from "./reading-pane.tsx";
import { go, route } from "./route.ts";
import { compose, composing } from "./seams.ts";
import { SearchBox } from "./search/search-box.tsx";

const Composer = lazy(() => import("./composer/composer.tsx").then((module) => module.default));
const Settings = lazy(() => import("./settings/settings.tsx").then((module) => module.default));
const ShortcutsDialog = lazy(() => import("../shared/shortcuts.tsx").then((module) => module.ShortcutsDialog), {
  isDialog: true,
});

/** The list comes first. */
const restMs = 2_000;

/** On narrow screens the mailboxes lie over the list. */
const isDrawerOpen = signal(false);
const isHelpOpen = signal(false);

// Whoever goes somewhere wants to see it.
effect(() => {
  route.value;
  isDrawerOpen.value = false;
});

/** What signed-in people see: mailboxes, a list, a conversation. On a phone one at a time. */
export function Shell() {
  const { place, threadId } = route.value;
  const view = place.kind === "settings" ? "settings" : threadId === undefined ? "list" : "conversation";
  useTitle();
  useEffect(() => restoreWriting(theMail().session.username), []);
  useEffect(() => {
    // So that somebody can begin to write without a line.
    const timer = setTimeout(() => void identitiesOf(theAccount()).catch(() => {}), restMs);
    return () => clearTimeout(timer);
  }, []);
  useKeys(
    () => t("keysGeneral"),
    [
      { keys: ["?"], label: () => t("help"), run: () => (isHelpOpen.value = true) },
      { keys: ["c"], label: () => t("compose"), run: () => compose({ kind: "new" }) },
      { keys: ["g i"], label: () => t("goInbox"), run: () => goTo("inbox") },
      { keys: ["g d"], label: () => t("goDrafts"), run: () => goTo("drafts") },
      { keys: ["g t"], label: () => t("goSent"), run: () => goTo("sent") },
      { keys: ["g a"], label: () => t("goArchive"), run: () => goTo("archive") },
    ],
  );
  return (
    <div class={`app is-${view} ${isDrawerOpen.value ? "has-drawer" : ""}`}>
      <button type="button" class="skip" onClick={focusList}>
        {t("skip")}
      </button>
      <header class="top">
        <IconButton
          icon="menu"
          label={t("menu")}
          class="drawer-button"
          isPressed={isDrawerOpen.value}
          onClick={() => (isDrawerOpen.value = !isDrawerOpen.peek())}
        />
        <SearchBox />
        <IconButton icon="help" label={t("help")} class="wide-only" onClick={() => (isHelpOpen.value = true)} />
        <IconButton
          icon="settings"
          label={t("settings")}
          onClick={() => go({ place: { kind: "settings", section: "" } })}
        />
      </header>
      <Sidebar />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the menu button and Escape close it as well. */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: likewise. */}
      {isDrawerOpen.value && <div class="scrim" onClick={() => (isDrawerOpen.value = false)} />}
      <OfflineBar />
      {view === "settings" ? (
        <main class="pane settings-pane">
          <Settings section={place.kind === "settings" ? place.section : ""} />
        </main>
      ) : (
        <main class="panes">
          <section class="pane list-pane">
            <ConversationList />
          </section>
          <ReadingPane />
        </main>
      )}
      {view === "list" && (
        <button type="button" class="floating" aria-label={t("compose")} onClick={() => compose({ kind: "new" })}>
          <Icon name="draft" />
        </button>
      )}
      {composing.value && <Composer intent={composing.value} />}
      {isHelpOpen.value && <ShortcutsDialog onClose={() => (isHelpOpen.value = false)} />}
      {isDrawerOpen.value && <DrawerKeys />}
    </div>
  );
}

function DrawerKeys() {
  useKeys(() => t("menu"), [{ keys: ["Escape"], label: () => t("menu"), run: () => (isDrawerOpen.value = false) }]);
  return null;
}

function goTo(role: string): void {
  if (theAccount().byRole(role)) go({ place: { kind: "mailbox", key: role } });
}

function focusList(): void {
  document.querySelector<HTMLElement>(".list-pane [tabindex='0']")?.focus();
}

/** The unread count, so that it shows in the browser's tab. */
function useTitle(): void {
  const current = account.value;
  const { place } = route.value;
  const mailbox = currentMailbox.value;
  const ofMailbox = mailbox ? mailboxName(mailbox) : tMailbox("mailboxes");
  const name = place.kind === "search" ? t("resultsFor", place) : place.kind === "settings" ? t("settings") : ofMailbox;
  const unread = current?.byRole("inbox")?.unreadThreads ?? 0;
  const values = { mailbox: name, account: current?.about.name ?? "" };
  const title = unread > 0 ? t("titleUnread", { ...values, unread }) : t("title", values);
  useEffect(() => {
    document.title = title;
  }, [title]);
}
