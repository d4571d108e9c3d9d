import { effect, type ReadonlySignal, useSignal } from "@preact/signals";
import { t } from "../../messages/composer.ts";
import { ask } from "../../shared/ask.tsx";
import { locale } from "../../shared/messages.ts";
import { prefs } from "../../shared/prefs.ts";
import { toast } from "../../shared/toasts.tsx";
import { composing } from "../seams.ts";
import type { KnownRecipients } from "./known-recipients.ts";
import type { Start } from "./message.ts";
import { promisedFile } from "./reminder.ts";
import { send } from "./send.ts";
import { type Sent, takeBack } from "./take-back.ts";
import { fields, type Writing } from "./writing.ts";

export interface Sending {
  isBusy: ReadonlySignal<boolean>;
  fault: ReadonlySignal<string>;
  /** Addresses that the server refused. */
  badRecipients: ReadonlySignal<readonly string[]>;
  /** Sends, or says what is missing. With a date, the mail is held at the server until then. */
  begin(at?: Date): void;
}

/** Sends what is written: asks where something seems to be missing, waits for the files, and lets it be taken back for a while. */
export function useSending(writing: Writing, known: KnownRecipients): Sending {
  const isBusy = useSignal(false);
  const fault = useSignal("");
  const badRecipients = useSignal<readonly string[]>([]);
  const begin = (at?: Date) => {
    if (isBusy.peek()) return;
    const missing = missingOf(writing);
    fault.value = missing ?? "";
    if (missing !== undefined) return;
    isBusy.value = true;
    void (async () => {
      if (!(await isMeant(writing))) return;
      if (!writing.files.areThere.peek()) fault.value = t("waitForFiles");
      await filesOf(writing);
      fault.value = "";
      const { to, cc, bcc } = writing.written;
      const outcome = await send(writing, at ?? prefs.peek().undoSendSeconds);
      if (outcome.sent) {
        known.add([...to, ...cc, ...bcc]);
        finish(writing, outcome.sent, at);
        return;
      }
      badRecipients.value = outcome.badRecipients ?? [];
      fault.value = outcome.fault ?? "";
    })()
      .catch((error: Error) => (fault.value = error.message))
      .finally(() => (isBusy.value = false));
  };
  return { isBusy, fault, badRecipients, begin };
}

/** What keeps it from being sent. */
function missingOf(writing: Writing): string | undefined {
  const faults = fields.flatMap((field) => writing.settle(field));
  if (faults.length > 0) return t("badAddress", { text: faults[0]! });
  const { to, cc, bcc } = writing.written;
  if (to.length + cc.length + bcc.length === 0) return t("noRecipients");
  return writing.identity.peek() ? undefined : t("noIdentity");
}

/** Asks where somebody may have forgotten something. */
async function isMeant(writing: Writing): Promise<boolean> {
  const { subject, body, files } = writing.written;
  const isAttached = files.some(({ cid }) => cid === undefined);
  const word = isAttached ? undefined : promisedFile(subject, ownText(body.text));
  const yes = t("sendAnyway");
  if (word !== undefined && !(await ask({ text: t("noFileAsk", { word }), yes }))) return false;
  return subject.trim() !== "" || ask({ text: t("noSubjectAsk"), yes });
}

/** Above the quoted or forwarded mail. */
function ownText(text: string): string {
  const at = text.search(/\n-{5,} .* -{5,}\n|\n-- \n/);
  return at < 0 ? text : text.slice(0, at);
}

/** Resolves when all files are at the server; rejects when one did not arrive. */
function filesOf({ files }: Writing): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop: (() => void)[] = [];
    const end = (settle: () => void) => {
      settle();
      queueMicrotask(() => {
        for (const one of stop) one();
      });
    };
    stop.push(
      effect(() => {
        const failed = files.list.value
          .map((file) => files.faultOf(file)?.value)
          .find((reason) => reason !== undefined);
        if (failed !== undefined) end(() => reject(new Error(failed)));
        else if (files.areThere.value) end(resolve);
      }),
    );
  });
}

function finish(writing: Writing, sent: Sent, at: Date | undefined): void {
  const { body, files, identity, ...rest } = writing.written;
  const start: Start = {
    ...rest,
    body,
    files: files.map(({ key: _, ...file }) => file),
    identityId: identity?.id,
    source: writing.source,
    emailId: sent.emailId,
  };
  writing.close({ isDone: true });
  composing.value = undefined;
  const seconds = prefs.peek().undoSendSeconds;
  const date = at && new Intl.DateTimeFormat(locale.peek(), { dateStyle: "full", timeStyle: "short" }).format(at);
  const text = date === undefined ? t("sent") : t("sentLater", { date });
  const canUndo = at !== undefined || seconds > 0;
  toast({
    text,
    ...(canUndo && { undo: () => void undo(sent, start) }),
    ...(seconds > 0 && !at && { forMs: seconds * 1000 }),
  });
}

async function undo(sent: Sent, start: Start): Promise<void> {
  try {
    if (!(await takeBack(sent))) {
      toast({ text: t("tooLate"), isError: true });
      return;
    }
    composing.value = { kind: "again", accountId: sent.account.id, start };
    toast({ text: t("takenBack") });
  } catch (error) {
    toast({ text: (error as Error).message, isError: true });
  }
}
