import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../../messages/composer.ts";
import { useKeys } from "../../shared/keys.ts";
import { toast } from "../../shared/toasts.tsx";
import { mail, theAccount, theMail } from "../mail.ts";
import { type ComposeIntent, composing, openComposers } from "../seams.ts";
import { identitiesOf } from "./identities.ts";
import { dropCopy } from "./local-copy.ts";
import { Pictures } from "./pictures.ts";
import { startOf } from "./start.ts";
import { ComposerWindow } from "./window.tsx";
import { Writing } from "./writing.ts";

export interface ComposerProps {
  intent: ComposeIntent;
}

interface Opened {
  writing: Writing;
  pictures: Pictures;
  isRemoteShown: boolean;
}

/** Loaded when somebody first writes. It is done when it sets `composing` to undefined. */
export default function Composer({ intent }: ComposerProps) {
  const opened = useSignal<Opened | undefined>(undefined);
  useEffect(() => {
    let isWanted = true;
    const pictures = new Pictures();
    const asked = {
      save: async () => opened.peek()?.writing.save(),
      forget: () => opened.peek()?.writing.close({ isDone: true }),
    };
    openComposers.add(asked);
    open(intent, pictures)
      .then((one) => {
        if (isWanted) opened.value = one;
        else one.writing.suspend();
      })
      .catch((error: Error) => {
        toast({
          text: error.message === "gone" ? t("gone") : t("notOpened", { reason: error.message }),
          isError: true,
        });
        if (isWanted) composing.value = undefined;
      });
    return () => {
      isWanted = false;
      openComposers.delete(asked);
      // Closed from outside: another mail is begun, or nobody is signed in any more.
      const writing = opened.peek()?.writing;
      if (mail.peek()) writing?.close();
      else writing?.suspend();
      opened.value = undefined;
      pictures.release();
    };
  }, [intent]);
  if (!opened.value) return <Opening />;
  return <ComposerWindow key={opened.value.writing.key} intent={intent} {...opened.value} />;
}

function Opening() {
  // Who types already means the mail, and not to archive what lies below.
  const close = { keys: ["Escape"], label: () => t("close"), run: () => (composing.value = undefined) };
  useKeys(() => t("title"), [close], { isModal: true });
  return (
    <section class="composer is-opening" aria-label={t("title")} aria-busy="true">
      <p class="muted">{t("opening")}</p>
    </section>
  );
}

async function open(intent: ComposeIntent, pictures: Pictures): Promise<Opened> {
  const { session, accounts } = theMail();
  const account = ("accountId" in intent && accounts.get(intent.accountId)) || theAccount();
  const identities = await identitiesOf(account);
  const isRemoteShown = "isRemoteShown" in intent && intent.isRemoteShown === true;
  const start = await startOf(intent, { session, account, identities, pictures, isRemoteShown });
  const writing = new Writing({ session, account, identities }, start);
  if (intent.kind === "again") {
    // It is kept under a key of its own from here on.
    writing.changed();
    if (intent.key !== undefined) dropCopy(intent.key);
  }
  return { writing, pictures, isRemoteShown };
}
