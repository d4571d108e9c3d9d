import { useSignal } from "@preact/signals";
import { t } from "../../messages/second-factor.ts";
import { askAuth, type NextStep } from "../auth.ts";
import { Button } from "../button.tsx";
import { hasPasskeys } from "../passkeys.ts";
import { AddApp, type Added, addPasskey, type BegunApp, RecoveryCodes, whyNot } from "./add.tsx";

interface Props {
  next: Extract<NextStep, { step: "set-up" }>;
  onDone(): void;
  onBack(why?: string): void;
}

/** While signing in to an account that must have a second factor, and has none. */
export function SetUp({ next, onDone, onBack }: Props) {
  const { ticket } = next;
  const begun = useSignal<BegunApp | undefined>(undefined);
  const codes = useSignal<string[] | undefined>(undefined);
  const fault = useSignal("");
  const added = ({ recoveryCodes }: Added) => {
    if (recoveryCodes.length > 0) codes.value = recoveryCodes;
    else onDone();
  };
  const begin = async () => {
    const answer = await askAuth<BegunApp>("factors/totp/begin", { ticket });
    if (answer.is === "ok") begun.value = answer.value;
    else if (answer.is === "refused" && answer.code === "begin-again") onBack(t("late"));
    else fault.value = whyNot(answer, t("unreachable"));
  };
  const passkey = async () => {
    const made = await addPasskey({ ticket }, t("passkey"));
    if ("fault" in made) fault.value = made.fault;
    else added(made);
  };
  if (codes.value) {
    return (
      <div class="card">
        <RecoveryCodes codes={codes.value} onDone={onDone} />
      </div>
    );
  }
  return (
    <div class="card">
      <h1>{t("setUp")}</h1>
      {begun.value ? (
        <AddApp begun={begun.value} onAdded={added} />
      ) : (
        <>
          <p>{t("setUpWhy")}</p>
          <div role="alert">{fault.value !== "" && <p class="notice is-error">{fault}</p>}</div>
          <Button isPrimary onClick={() => void begin()}>
            {t("app")}
          </Button>
          <p class="muted">{t("appWhy")}</p>
          {next.passkeys && hasPasskeys() && (
            <>
              <Button onClick={() => void passkey()}>{t("passkey")}</Button>
              <p class="muted">{t("passkeyWhy")}</p>
            </>
          )}
        </>
      )}
      <div class="sign-in-more">
        <button type="button" class="link" onClick={() => onBack()}>
          {t("back")}
        </button>
      </div>
    </div>
  );
}
