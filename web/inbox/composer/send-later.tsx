import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../messages/composer.ts";
import { Button, IconButton } from "../../shared/button.tsx";
import { Dialog } from "../../shared/dialog.tsx";
import { locale } from "../../shared/messages.ts";
import { localText, moments } from "./later.ts";

interface Props {
  onChoose(date: Date): void;
  disabled: boolean;
}

/** When the mail is to leave: the server holds it until then, for 30 days at most (RFC 4865). */
export function SendLater({ onChoose, disabled }: Props) {
  const isOpen = useSignal(false);
  const choose = (date: Date) => {
    isOpen.value = false;
    onChoose(date);
  };
  return (
    <>
      <IconButton icon="clock" label={t("sendLater")} disabled={disabled} onClick={() => (isOpen.value = true)} />
      {isOpen.value && <Choice onChoose={choose} onClose={() => (isOpen.value = false)} />}
    </>
  );
}

const maxDays = 30;

function Choice({ onChoose, onClose }: { onChoose(date: Date): void; onClose(): void }) {
  const input = useRef<HTMLInputElement>(null);
  const fault = useSignal("");
  const now = new Date();
  const last = new Date(now.getTime() + maxDays * 86_400_000);
  useEffect(() => {
    // A form inside the composer's: its button must not send that one.
    input.current?.setAttribute("form", "");
  }, []);
  const pick = () => {
    const date = new Date(input.current?.value ?? "");
    if (date.getTime() > Date.now() && date <= last) onChoose(date);
    else fault.value = t("inThePast");
  };
  return (
    <Dialog title={t("sendLater")} onClose={onClose} class="send-later">
      <ul>
        {moments(now).map(({ key, at }) => (
          <li key={key}>
            <button type="button" class="menu-item" onClick={() => onChoose(at)}>
              <span>{t(key)}</span>
              <span class="muted">{shown(at)}</span>
            </button>
          </li>
        ))}
      </ul>
      <label class="field">
        <span>{t("pickTime")}</span>
        <input
          ref={input}
          class="input"
          type="datetime-local"
          min={localText(now)}
          max={localText(last)}
          defaultValue={localText(new Date(now.getTime() + 3_600_000))}
        />
      </label>
      {fault.value !== "" && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      <Button isPrimary onClick={pick}>
        {t("schedule")}
      </Button>
    </Dialog>
  );
}

const shown = (date: Date): string =>
  new Intl.DateTimeFormat(locale.value, {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "numeric",
    minute: "2-digit",
  }).format(date);
