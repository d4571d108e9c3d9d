import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../messages/shared.ts";
import { Icon } from "./icons.tsx";
import { useKeys } from "./keys.ts";

interface Props {
  title: string;
  onClose(): void;
  children: ComponentChildren;
  class?: string;
}

/** A modal dialog: the focus is kept inside, begins at what has `data-first`, and goes back at the end. */
export function Dialog({ title, onClose, children, class: className = "" }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  // At once: what is typed next is meant for the dialog, and when it is gone for what had the focus before.
  useLayoutEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  useKeys(() => title, [{ keys: ["Escape"], label: () => t("close"), run: onClose, whileTyping: true }], {
    isModal: true,
  });
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it as well.
    <dialog
      ref={element}
      class={`dialog ${className}`}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // Only the backdrop is the dialog itself.
        if (event.target === element.current) onClose();
      }}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2>{title}</h2>
          <button type="button" class="icon-button" aria-label={t("close")} onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
