import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../messages/operator/sign-in.ts";
import { AddressField } from "../../shared/address-field.tsx";
import { Button } from "../../shared/button.tsx";
import { signIn } from "../../shared/jmap/session.ts";
import type { SecondStepProps } from "../../shared/second-factor/second-step.tsx";
import { begin, wasSignedOut } from "../session.ts";

type Fault = "wrong" | "noOperator" | "throttled" | "unreachable";
const faults = {
  wrong: "wrong",
  "app-password": "noOperator",
  throttled: "throttled",
  unreachable: "unreachable",
} as const;

export function SignIn() {
  const fault = useSignal<Fault | undefined>(undefined);
  const isBusy = useSignal(false);
  const password = useRef<HTMLInputElement>(null);
  /** What comes after the password, for who needs it. */
  const step = useSignal<{ View: ComponentType<SecondStepProps>; next: SecondStepProps["next"] } | undefined>(
    undefined,
  );
  const notice = useSignal("");
  useEffect(() => {
    document.title = `${t("title")} – Posthorn`;
  });
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    isBusy.value = true;
    const username = String(fields.get("username")).trim();
    const answer = await signIn({ username, password: String(fields.get("password")), stay: false });
    isBusy.value = false;
    if (answer.is === "in") return begin();
    if (answer.is === "step") {
      const { default: View } = await import("../../shared/second-factor/second-step.tsx");
      step.value = { View, next: answer.next };
      return;
    }
    fault.value = faults[answer.is];
    password.current?.select();
  };
  const back = (why = "") => {
    step.value = undefined;
    notice.value = why;
  };
  return (
    <main class="sign-in">
      {step.value && <step.value.View next={step.value.next} onDone={() => void begin()} onBack={back} />}
      <form class="card" onSubmit={submit} aria-busy={isBusy.value} hidden={step.value !== undefined}>
        <h1>{t("welcome")}</h1>
        <p class="muted">{t("about")}</p>
        {wasSignedOut.value && fault.value === undefined && <p class="notice">{t("ended")}</p>}
        {notice.value !== "" && <p class="notice">{notice}</p>}
        {!isSecureContext && <p class="notice">{t("notEncrypted")}</p>}
        {/* Always there, so that a screen reader hears what comes into it. */}
        <div role="alert">{fault.value && <p class="notice is-error">{t(fault.value)}</p>}</div>
        <AddressField label={t("address")} />
        <label class="field">
          <span>{t("password")}</span>
          <input
            ref={password}
            class="input"
            name="password"
            type="password"
            autocomplete="current-password"
            required
          />
        </label>
        <Button isPrimary submits disabled={isBusy.value}>
          {isBusy.value ? t("signingIn") : t("signIn")}
        </Button>
      </form>
    </main>
  );
}
