import { useSignal } from "@preact/signals";
import { t } from "../../messages/settings.ts";
import { Button } from "../../shared/button.tsx";
import type { SetError } from "../../shared/jmap/types.ts";
import { toast } from "../../shared/toasts.tsx";
import { theMail } from "../mail.ts";

const minLength = (): number =>
  Number(theMail().session.capabilities["https://posthorn.example/jmap/account"]?.minPasswordLength ?? 8);

export function PasswordForm() {
  const fault = useSignal("");
  const isBusy = useSignal(false);
  const change = async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const password = String(fields.get("new"));
    if ([...password].length < minLength()) {
      fault.value = t("passwordShort", { n: minLength() });
      return;
    }
    isBusy.value = true;
    const values = { currentPassword: String(fields.get("current")), password };
    const { notUpdated } = await theMail().jmap.call("Password/set", { update: { singleton: values } });
    const refusal = notUpdated?.singleton;
    fault.value = refusal ? why(refusal) : "";
    if (refusal) return;
    form.reset();
    toast({ text: t("passwordChanged") });
  };
  return (
    <form
      class="settings-form"
      onSubmit={(event) => {
        event.preventDefault();
        void change(event.currentTarget)
          .catch((error: Error) => (fault.value = error.message))
          .finally(() => (isBusy.value = false));
      }}
    >
      {/* So that password managers know whose it is. */}
      <input type="text" name="username" autocomplete="username" hidden value={theMail().session.username} readOnly />
      <label class="field">
        <span>{t("currentPassword")}</span>
        <input class="input" type="password" name="current" autocomplete="current-password" required />
      </label>
      <label class="field">
        <span>{t("newPassword")}</span>
        <input
          class="input"
          type="password"
          name="new"
          autocomplete="new-password"
          required
          aria-describedby="password-hint"
        />
      </label>
      <p id="password-hint" class="muted">
        {t("newPasswordHint", { n: minLength() })}
      </p>
      <div role="alert">{fault.value !== "" && <p class="error-text">{fault}</p>}</div>
      <div class="dialog-actions">
        <Button submits isPrimary disabled={isBusy.value}>
          {t("changePassword")}
        </Button>
      </div>
    </form>
  );
}

function why({ type, description, properties }: SetError): string {
  if (type === "rateLimit") return t("passwordThrottled");
  if (properties?.includes("currentPassword")) return t("passwordWrong");
  // It is long enough, so the server knows it as one of the first to be tried.
  if (properties?.includes("password")) return t("passwordCommon");
  return description || type;
}
