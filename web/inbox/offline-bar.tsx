import { effect, signal } from "@preact/signals";
import { t } from "../messages/shell.ts";
import { Icon } from "../shared/icons.tsx";
import { mail, theMail } from "./mail.ts";

const isOnline = signal(navigator.onLine);
addEventListener("online", () => (isOnline.value = true));
addEventListener("offline", () => (isOnline.value = false));

/** Short breaks are nobody's business. */
const patienceMs = 3_000;
const isLongLost = signal(false);
let timer: ReturnType<typeof setTimeout> | undefined;
effect(() => {
  const isLost = mail.value?.push.reach.value === "lost";
  clearTimeout(timer);
  if (isLost) timer = setTimeout(() => (isLongLost.value = true), patienceMs);
  else isLongLost.value = false;
});

/** Says that the line is lost, and what waits for it. */
export function OfflineBar() {
  const { outbox, push } = theMail();
  const waiting = outbox.waiting.value;
  const isShown = !isOnline.value || isLongLost.value;
  const text = waiting > 0 ? t("offlineWaiting", { n: waiting }) : t(isOnline.value ? "reconnecting" : "offline");
  return (
    <div class="offline-bar" role="status" hidden={!isShown}>
      {isShown && (
        <>
          <Icon name="offline" />
          <span>{text}</span>
          {isOnline.value && (
            <button type="button" class="link" onClick={() => push.wake()}>
              {t("tryNow")}
            </button>
          )}
        </>
      )}
    </div>
  );
}
