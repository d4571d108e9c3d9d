import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../messages/sign-in.ts";
import { Button } from "../../shared/button.tsx";
import { Icon } from "../../shared/icons.tsx";
import { type SignIn as Answer, signIn } from "../../shared/jmap/session.ts";
import { begin, wasSignedOut } from "../mail.ts";
import { Provider } from "./provider.tsx";

export function SignIn() {
  const [state, setState] = useState<"idle" | "busy" | Answer>("idle");
  const [isShown, setShown] = useState(false);
  const password = useRef<HTMLInputElement>(null);
  const wait = useWait(state);

  useEffect(() => {
    document.title = `${t("title")} – Posthorn`;
  });

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const username = String(fields.get("username")).trim();
    setState("busy");
    const answer = await signIn({ username, password: String(fields.get("password")), stay: fields.has("stay") });
    if (answer.is === "in") return begin();
    setState(answer);
    password.current?.select();
  };

  // The types of Preact want one kind of input; a browser changes it as it goes.
  const type = (isShown ? "text" : "password") as "password";
  const fault = state === "idle" || state === "busy" || state.is === "in" ? undefined : state;
  return (
    <main class="sign-in">
      <p class="sign-in-brand">
        <Icon name="unread" />
        Posthorn
      </p>
      <form class="card" onSubmit={submit} aria-busy={state === "busy"}>
        <h1>{t("welcome")}</h1>
        {wasSignedOut.value && state === "idle" && <p class="notice">{t("ended")}</p>}
        {!isSecureContext && (
          <p class="notice">
            <Icon name="warning" />
            <span>{t("notEncrypted")}</span>
          </p>
        )}
        {/* Always there, so that a screen reader hears what comes into it. */}
        <div role="alert">{fault && <p class="notice is-error">{wordsFor(fault, wait)}</p>}</div>
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
          <input ref={password} class="input" name="password" type={type} autocomplete="current-password" required />
        </label>
        <label class="check">
          <input type="checkbox" checked={isShown} onChange={(event) => setShown(event.currentTarget.checked)} />
          {t("showPassword")}
        </label>
        <label class="check">
          <input type="checkbox" name="stay" />
          {t("stay")}
        </label>
        <Button isPrimary submits disabled={state === "busy" || wait > 0}>
          {state === "busy" ? t("signingIn") : t("signIn")}
        </Button>
        <Provider />
      </form>
    </main>
  );
}

function wordsFor({ is }: Answer, wait: number): string {
  if (is === "throttled") return wait > 0 ? t("throttled", { n: wait }) : t("throttledSoon");
  if (is === "app-password") return t("appPassword");
  return t(is === "wrong" ? "wrong" : "unreachable");
}

/** Seconds until another attempt is allowed, counting down. */
function useWait(state: "idle" | "busy" | Answer): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (typeof state === "string" || state.is !== "throttled") return;
    setLeft(state.seconds);
    const timer = setInterval(() => setLeft((seconds) => Math.max(0, seconds - 1)), 1000);
    return () => clearInterval(timer);
  }, [state]);
  return left;
}
