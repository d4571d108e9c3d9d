import { useSignal } from "@preact/signals";
import encodeQr from "qr";
import { t } from "../../messages/second-factor.ts";
import { type AuthAnswer, askAuth, type PasskeyCreation } from "../auth.ts";
import { Button } from "../button.tsx";
import { createPasskey } from "../passkeys.ts";
import { toast } from "../toasts.tsx";

/** Who adds it: by the ticket of a sign-in, or with the password again. */
export type Owner = { ticket: string } | { password: string };

export interface BegunApp {
  ticket: string;
  secret: string;
  uri: string;
}

/** The codes are there with the first second factor alone. */
export type Added = { recoveryCodes: string[] };

/** Words for why something was refused; `other` for what is wrong with what was typed. */
export function whyNot(answer: Exclude<AuthAnswer<unknown>, { is: "ok" }>, other: string): string {
  if (answer.is === "unreachable") return t("unreachable");
  switch (answer.code) {
    case "begin-again":
      return t("late");
    case "password-wrong":
      return t("passwordWrong");
    case "code-wrong":
      return t("codeWrong");
    case "passkey-wrong":
      return t("passkeyRefused");
    case "too-many":
      return t("tooMany");
    case "exists":
      return t("exists");
    case "needed":
      return t("needed");
    default:
      return answer.status === 429 ? t("passwordThrottled") : other;
  }
}

/** The key of an authenticator app as a picture, and the field for the code that proves it. */
export function AddApp({ begun, onAdded }: { begun: BegunApp; onAdded(added: Added): void }) {
  const fault = useSignal("");
  const add = async (form: HTMLFormElement) => {
    const code = String(new FormData(form).get("code"));
    const answer = await askAuth<Added>("factors/totp", { ticket: begun.ticket, code });
    if (answer.is === "ok") return onAdded(answer.value);
    fault.value = whyNot(answer, t("codeWrong"));
  };
  return (
    <form
      class="factor-form"
      onSubmit={(event) => {
        event.preventDefault();
        void add(event.currentTarget);
      }}
    >
      <p>{t("scan")}</p>
      <QrCode text={begun.uri} label={t("qr")} />
      <p class="factor-key">
        {t("key")}: <code>{begun.secret.replace(/.{4}(?=.)/g, "$& ")}</code>
      </p>
      <label class="field">
        <span>{t("code")}</span>
        <input class="input" name="code" inputMode="numeric" autocomplete="one-time-code" required autofocus />
      </label>
      <div role="alert">{fault.value !== "" && <p class="error-text">{fault}</p>}</div>
      <div class="dialog-actions">
        <Button isPrimary submits>
          {t("turnOn")}
        </Button>
      </div>
    </form>
  );
}

/** Drawn here, so that nobody else sees what it says. Dark on white in any theme: cameras want that. */
function QrCode({ text, label }: { text: string; label: string }) {
  const rows = encodeQr(text, "raw", { border: 4 });
  const path = rows.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <svg class="factor-qr" viewBox={`0 0 ${rows.length} ${rows.length}`} role="img" aria-label={label}>
      <path d={path} />
    </svg>
  );
}

/** Asks the browser for a passkey, and for its name. */
export async function addPasskey(owner: Owner, label: string): Promise<Added | { fault: string }> {
  const begun = await askAuth<{ ticket: string; options: PasskeyCreation }>("factors/passkey/begin", owner);
  if (begun.is !== "ok") return { fault: whyNot(begun, t("passkeyRefused")) };
  const passkey = await createPasskey(begun.value.options);
  if (passkey === "known") return { fault: t("passkeyKnown") };
  if (!passkey) return { fault: t("passkeyRefused") };
  const answer = await askAuth<Added>("factors/passkey", { ticket: begun.value.ticket, passkey, label });
  return answer.is === "ok" ? answer.value : { fault: whyNot(answer, t("passkeyRefused")) };
}

/** It is shown only once: all of it. */
const show = (element: HTMLElement | null): void => element?.scrollIntoView({ block: "center" });

export function RecoveryCodes({ codes, onDone }: { codes: readonly string[]; onDone(): void }) {
  const copy = () => void navigator.clipboard?.writeText(codes.join("\n")).then(() => toast({ text: t("copied") }));
  return (
    <div ref={show} class="factor-secret" role="status">
      <h3>{t("codes")}</h3>
      <p>{t("codesWhy")}</p>
      <ul class="factor-codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div class="dialog-actions">
        <Button onClick={copy}>{t("copy")}</Button>
        <Button isPrimary onClick={onDone}>
          {t("done")}
        </Button>
      </div>
    </div>
  );
}
