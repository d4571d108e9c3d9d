import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../messages/operator/sign-in.ts";
import { Button } from "../../shared/button.tsx";
import { signIn } from "../../shared/jmap/session.ts";
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
    fault.value = faults[answer.is];
    password.current?.select();
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={submit} aria-busy={isBusy.value}>
        <h1>{t("welcome")}</h1>
        <p class="muted">{t("about")}</p>
        {wasSignedOut.value && fault.value === undefined && <p class="notice">{t("ended")}</p>}
        {!isSecureContext && <p class="notice">{t("notEncrypted")}</p>}
        {/* Always there, so that a screen reader hears what comes into it. */}
        <div role="alert">{fault.value && <p class="notice is-error">{t(fault.value)}</p>}</div>
        <label class="field">
          <span>{t("address")}</span>
          <input
            class="input"
            name="username"
            type="text"
            inputMode="email"
            autocomplete="username"
            autocapitalize="off"
            spellcheck={false}
            required
            autofocus
          />
        </label>
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
