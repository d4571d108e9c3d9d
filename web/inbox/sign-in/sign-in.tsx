import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../messages/sign-in.ts";
import { AddressField } from "../../shared/address-field.tsx";
import { askAuth, type NextStep, type PasskeyRequest } from "../../shared/auth.ts";
import { Button } from "../../shared/button.tsx";
import { Icon } from "../../shared/icons.tsx";
import { type SignIn as Answer, signIn } from "../../shared/jmap/session.ts";
import { getPasskey, hasPasskeys } from "../../shared/passkeys.ts";
import type { SecondStepProps } from "../../shared/second-factor/second-step.tsx";
import { lazy } from "../lazy.tsx";
import { begin, wasSignedOut } from "../mail.ts";
import { Provider } from "./provider.tsx";

const SecondStep = lazy<SecondStepProps>(() =>
  import("../../shared/second-factor/second-step.tsx").then((found) => found.default),
);
const Recover = lazy<{ onBack(notice?: string): void }>(() => import("./recover.tsx").then((found) => found.default));

export function SignIn() {
  const [state, setState] = useState<"idle" | "busy" | Answer>("idle");
  const [isShown, setShown] = useState(false);
  /** What is in the place of the password. */
  const [step, setStep] = useState<NextStep | "recover" | undefined>(undefined);
  const [notice, setNotice] = useState("");
  const canJoin = useOffers();
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
    if (answer.is === "step") {
      setState("idle");
      setStep(answer.next);
      return;
    }
    setState(answer);
    password.current?.select();
  };

  const back = (why = "") => {
    setStep(undefined);
    setNotice(why);
  };
  const takePasskey = async () => {
    setNotice("");
    const answer = await passkeyAlone(document.querySelector<HTMLInputElement>("input[name=stay]")?.checked === true);
    if (answer === "in") return begin();
    setNotice(t(answer === "lost" ? "passkeyLost" : "unreachable"));
  };

  // The types of Preact want one kind of input; a browser changes it as it goes.
  const type = (isShown ? "text" : "password") as "password";
  const fault = typeof state === "string" || state.is === "in" ? undefined : state;
  return (
    <main class="sign-in">
      <p class="sign-in-brand">
        <Icon name="unread" />
        Posthorn
      </p>
      {step === "recover" && <Recover onBack={back} />}
      {typeof step === "object" && <SecondStep next={step} onDone={() => void begin()} onBack={back} />}
      {/* What was typed stays, for who comes back. */}
      <form class="card" onSubmit={submit} aria-busy={state === "busy"} hidden={step !== undefined}>
        <h1>{t("welcome")}</h1>
        {wasSignedOut.value && state === "idle" && <p class="notice">{t("ended")}</p>}
        {notice !== "" && state === "idle" && (
          <p class="notice" role="status">
            {notice}
          </p>
        )}
        {!isSecureContext && (
          <p class="notice">
            <Icon name="warning" />
            <span>{t("notEncrypted")}</span>
          </p>
        )}
        {/* Always there, so that a screen reader hears what comes into it. */}
        <div role="alert">{fault && <p class="notice is-error">{wordsFor(fault, wait)}</p>}</div>
        <AddressField label={t("address")} />
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
        {hasPasskeys() && <Button onClick={() => void takePasskey()}>{t("withPasskey")}</Button>}
        <Provider onStep={setStep} onIn={() => void begin()} onFault={setNotice} />
        <div class="sign-in-more">
          <button type="button" class="link" onClick={() => setStep("recover")}>
            {t("forgotten")}
          </button>
          {canJoin && (
            <a class="link" href="#/join">
              {t("join")}
            </a>
          )}
        </div>
      </form>
    </main>
  );
}

/** A passkey says who signs in, too. */
async function passkeyAlone(stay: boolean): Promise<"in" | "lost" | "unreachable"> {
  const begun = await askAuth<{ ticket: string; options: PasskeyRequest }>("passkey/begin");
  if (begun.is !== "ok") return "unreachable";
  const { ticket, options } = begun.value;
  const passkey = await getPasskey(options);
  if (!passkey) return "lost";
  const answer = await askAuth("passkey", { ticket, passkey, stay });
  return answer.is === "ok" ? "in" : answer.is === "refused" ? "lost" : "unreachable";
}

/** Whether anybody may make an account here. */
function useOffers(): boolean {
  const [can, setCan] = useState(false);
  useEffect(() => {
    void askAuth<{ signUp: string[] }>("offers").then(
      (answer) => answer.is === "ok" && answer.value.signUp.length > 0 && setCan(true),
    );
  }, []);
  return can;
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
