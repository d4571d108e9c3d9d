import { useSignal } from "@preact/signals";
import type { ComponentChild } from "preact";
import { t } from "../../messages/operator/parts.ts";
import { t as tShared } from "../../messages/shared.ts";
import { Button } from "../../shared/button.tsx";
import { Dialog } from "../../shared/dialog.tsx";
import { attempt } from "./page.tsx";

interface Props {
  title: string;
  /** What is going to happen. */
  children: ComponentChild;
  /** What the button says. */
  act: string;
  /** Has to be typed first. */
  typed?: string;
  isDanger?: boolean;
  done?: string;
  work(form: FormData): Promise<unknown>;
  onClose(isDone: boolean): void;
}

/** Asks before something is done, with fields if it needs any. What is refused is said inside, and nothing is lost. */
export function Confirm({ title, children, act, typed, isDanger = false, done, work, onClose }: Props) {
  const isBusy = useSignal(false);
  const given = useSignal("");
  const isTyped = typed === undefined || given.value.trim().toLowerCase() === typed.toLowerCase();
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    isBusy.value = true;
    const isDone = await attempt(() => work(form), done);
    isBusy.value = false;
    if (isDone) onClose(true);
  };
  return (
    <Dialog title={title} onClose={() => onClose(false)}>
      <form class="form" onSubmit={submit} aria-busy={isBusy.value}>
        {children}
        {typed !== undefined && (
          <label class="field">
            <span>{t("typeToConfirm", { text: typed })}</span>
            <input
              class="input"
              autocomplete="off"
              spellcheck={false}
              data-first
              onInput={(event) => (given.value = event.currentTarget.value)}
            />
          </label>
        )}
        <div class="dialog-actions">
          <Button onClick={() => onClose(false)}>{tShared("cancel")}</Button>
          <Button submits isPrimary={!isDanger} isDanger={isDanger} disabled={!isTyped || isBusy.value}>
            {act}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
