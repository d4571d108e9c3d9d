import { signal } from "@preact/signals";
import { t } from "../messages/shared.ts";
import { Icon } from "./icons.tsx";

export interface Toast {
  text: string;
  /** Shown as a button, and run by it. */
  undo?: (() => void) | undefined;
  isError?: boolean;
  /** How long it stays. (Default: 6000, errors 12 000) */
  forMs?: number;
}

const shown = signal<{ toast: Toast; timer: ReturnType<typeof setTimeout> } | undefined>(undefined);
/** What a screen reader says next, politely. */
const said = signal("");

/** Says something in passing, in place of what was said before. Returns how to take it back. */
export function toast(toast: Toast): () => void {
  clearTimeout(shown.peek()?.timer);
  const close = () => {
    if (shown.peek()?.toast === toast) shown.value = undefined;
  };
  shown.value = { toast, timer: setTimeout(close, toast.forMs ?? (toast.isError ? 12_000 : 6_000)) };
  announce(toast.text);
  return close;
}

/** For screen readers alone: "3 new messages". */
export function announce(text: string): void {
  // The same text twice in a row is said twice.
  said.value = said.peek() === text ? `${text}\u00a0` : text;
}

/** To be rendered once. */
export function Toasts() {
  const current = shown.value?.toast;
  const undo = () => {
    shown.value = undefined;
    current?.undo?.();
  };
  return (
    <>
      <div class="visually-hidden" role="status" aria-live="polite">
        {said.value}
      </div>
      {current && (
        <div class={`toast ${current.isError ? "is-error" : ""}`} role={current.isError ? "alert" : undefined}>
          <span>{current.text}</span>
          {current.undo && (
            <button type="button" class="link" onClick={undo}>
              {t("undo")}
            </button>
          )}
          <button type="button" class="icon-button" aria-label={t("dismiss")} onClick={() => (shown.value = undefined)}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </>
  );
}
