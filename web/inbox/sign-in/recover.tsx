import { useState } from "preact/hooks";
import { t } from "../../messages/join.ts";
import { AddressField } from "../../shared/address-field.tsx";
import { askAuth } from "../../shared/auth.ts";
import { Button } from "../../shared/button.tsx";
import { minPasswordLength, wordsFor } from "./faults.ts";

/** For who has forgotten the password: a recovery code allows a new one. */
export default function Recover({ onBack }: { onBack(notice?: string): void }) {
  const [fault, setFault] = useState("");
  const recover = async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const text = (name: string) => String(fields.get(name));
    const body = { username: text("username").trim(), recoveryCode: text("recoveryCode"), password: text("password") };
    const answer = await askAuth("recover", body);
    if (answer.is === "ok") return onBack(t("recovered"));
    if (answer.is === "refused" && answer.status === 401) setFault(t("wrongRecovery"));
    else if (answer.is === "refused" && answer.status === 429) setFault(t("throttled"));
    else setFault(wordsFor(answer, "", false));
  };
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        void recover(event.currentTarget);
      }}
    >
      <h1>{t("recover")}</h1>
      <p class="muted">{t("recoverWhy")}</p>
      <div role="alert">{fault !== "" && <p class="notice is-error">{fault}</p>}</div>
      <AddressField label={t("yourAddress")} />
      <label class="field">
        <span>{t("recoveryCode")}</span>
        <input class="input" name="recoveryCode" autocomplete="off" autocapitalize="off" spellcheck={false} required />
      </label>
      <label class="field">
        <span>{t("newPassword")}</span>
        <input
          class="input"
          type="password"
          name="password"
          autocomplete="new-password"
          required
          aria-describedby="recover-hint"
        />
      </label>
      <p id="recover-hint" class="muted">
        {t("passwordHint", { n: minPasswordLength })}
      </p>
      <Button isPrimary submits>
        {t("setPassword")}
      </Button>
      <div class="sign-in-more">
        <button type="button" class="link" onClick={() => onBack()}>
          {t("back")}
        </button>
      </div>
    </form>
  );
}
