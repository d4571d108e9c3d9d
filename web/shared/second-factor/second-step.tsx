import { useSignal } from "@preact/signals";
import { t } from "../../messages/second-factor.ts";
import { askAuth, type NextStep } from "../auth.ts";
import { Button } from "../button.tsx";
import { getPasskey } from "../passkeys.ts";
import { SetUp } from "./set-up.tsx";

export interface SecondStepProps {
  next: NextStep;
  /** Signed in. */
  onDone(): void;
  /** To the password again; with words about why. */
  onBack(why?: string): void;
}

/** What comes after the password. Loaded when an account needs it. */
export default function SecondStep({ next, ...then }: SecondStepProps) {
  return next.step === "set-up" ? <SetUp next={next} {...then} /> : <Prove next={next} {...then} />;
}

type Way = "code" | "recoveryCode" | "passkey";

function Prove({
  next,
  onDone,
  onBack,
}: Omit<SecondStepProps, "next"> & { next: Extract<NextStep, { step: "second-factor" }> }) {
  const { ticket, passkey } = next;
  const way = useSignal<Way>(next.code ? "code" : passkey ? "passkey" : "recoveryCode");
  const fault = useSignal("");
  const prove = async (given: object) => {
    const answer = await askAuth("second-factor", { ticket, ...given });
    if (answer.is === "ok") return onDone();
    if (answer.is === "unreachable") fault.value = t("unreachable");
    else if (answer.code === "begin-again") onBack(t("late"));
    else if (answer.status === 429) fault.value = t("throttled");
    else
      fault.value = t(way.value === "code" ? "wrongCode" : way.value === "passkey" ? "passkeyLost" : "wrongRecovery");
  };
  const askPasskey = async () => {
    if (!passkey) return;
    const given = await getPasskey(passkey);
    if (given) await prove({ passkey: given });
    else fault.value = t("passkeyLost");
  };
  const change = (to: Way) => {
    fault.value = "";
    way.value = to;
  };
  const field = way.value;
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        if (field === "passkey") void askPasskey();
        else void prove({ [field]: String(new FormData(event.currentTarget).get("proof")).trim() });
      }}
    >
      <h1>{t("secondStep")}</h1>
      <p class="muted">{t("secondStepWhy")}</p>
      <div role="alert">{fault.value !== "" && <p class="notice is-error">{fault}</p>}</div>
      {field !== "passkey" && (
        <label class="field" key={field}>
          <span>{t(field)}</span>
          <input
            class="input"
            name="proof"
            inputMode={field === "code" ? "numeric" : "text"}
            autocomplete={field === "code" ? "one-time-code" : "off"}
            autocapitalize="off"
            spellcheck={false}
            required
            autofocus
            aria-describedby={field === "code" ? "code-hint" : undefined}
          />
        </label>
      )}
      {field === "code" && (
        <p id="code-hint" class="muted">
          {t("codeHint")}
        </p>
      )}
      <Button isPrimary submits>
        {t(field === "passkey" ? "usePasskey" : "goOn")}
      </Button>
      <div class="sign-in-more">
        {passkey && field !== "passkey" && <Other words={t("usePasskey")} onClick={() => change("passkey")} />}
        {next.code && field !== "code" && <Other words={t("useCode")} onClick={() => change("code")} />}
        {next.recoveryCode && field !== "recoveryCode" && (
          <Other words={t("useRecoveryCode")} onClick={() => change("recoveryCode")} />
        )}
        <Other words={t("back")} onClick={() => onBack()} />
      </div>
    </form>
  );
}

function Other({ words, onClick }: { words: string; onClick(): void }) {
  return (
    <button type="button" class="link" onClick={onClick}>
      {words}
    </button>
  );
}
