import { signal } from "@preact/signals";
import { t } from "../messages/shared.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";

interface Question {
  text: string;
  /** What the button says that goes on. */
  yes: string;
  isDanger?: boolean;
}

type Asked = Question & { value?: string; settle(answer: string | undefined): void };

const asked = signal<Asked | undefined>(undefined);

/** Asks whether to go on. False when the dialog is closed otherwise. */
export async function ask(question: Question): Promise<boolean> {
  return (await open(question)) !== undefined;
}

/** Asks for a text, which begins as `value`; undefined when the dialog is closed. */
export function askText(question: Question & { value: string }): Promise<string | undefined> {
  return open(question);
}

function open(question: Omit<Asked, "settle">): Promise<string | undefined> {
  asked.peek()?.settle(undefined);
  return new Promise((resolve) => {
    const settle = (answer: string | undefined) => {
      asked.value = undefined;
      resolve(answer);
    };
    asked.value = { ...question, settle };
  });
}

/** To be rendered once. */
export function Asks() {
  const current = asked.value;
  if (!current) return null;
  const { text, yes, isDanger = false, value, settle } = current;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    settle(String(new FormData(event.currentTarget as HTMLFormElement).get("answer") ?? ""));
  };
  return (
    <Dialog title={text} onClose={() => settle(undefined)} class="ask">
      <form class="form" onSubmit={submit}>
        {value !== undefined && (
          <input class="input" name="answer" aria-label={text} defaultValue={value} autocomplete="off" data-first />
        )}
        <div class="dialog-actions">
          <Button onClick={() => settle(undefined)}>{t("cancel")}</Button>
          <Button submits isPrimary={!isDanger} isDanger={isDanger}>
            {yes}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
