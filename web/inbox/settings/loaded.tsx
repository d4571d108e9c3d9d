import { useSignal } from "@preact/signals";
import type { ComponentChild } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "../../messages/settings.ts";
import type { SetError } from "../../shared/jmap/types.ts";
import { toast } from "../../shared/toasts.tsx";

interface Props<T> {
  load(): Promise<T>;
  /** `again` fetches anew what is shown. */
  children(value: T, again: () => Promise<void>): ComponentChild;
}

/** Fetches what a section shows. */
export function Loaded<T>({ load, children }: Props<T>) {
  const value = useSignal<{ of: T } | undefined>(undefined);
  const fault = useSignal("");
  const again = async () => {
    try {
      value.value = { of: await load() };
      fault.value = "";
    } catch (error) {
      fault.value = (error as Error).message;
    }
  };
  useEffect(() => {
    void again();
  }, []);
  if (fault.value !== "") {
    return (
      <p class="error-text" role="alert">
        {t("notLoaded", { reason: fault.value })}
      </p>
    );
  }
  if (!value.value) {
    return (
      <p class="muted" aria-busy="true">
        {t("loading")}
      </p>
    );
  }
  return <>{children(value.value.of, again)}</>;
}

/** Throws the first refusal of a /set in words for people. */
export function throwRefused(...refusals: (Record<string, SetError> | null)[]): void {
  for (const refusal of refusals.flatMap((map) => Object.values(map ?? {}))) {
    if (refusal.type === "overQuota") throw new Error(t("tooMany"));
    if (refusal.type === "rateLimit") throw new Error(t("tooFast"));
    throw new Error(refusal.description || refusal.type);
  }
}

/** Does something at the server, and says what came of it. */
export async function attempt(work: () => Promise<void>, done = t("saved")): Promise<void> {
  try {
    await work();
    toast({ text: done });
  } catch (error) {
    toast({ text: t("failed", { reason: (error as Error).message }), isError: true });
  }
}
