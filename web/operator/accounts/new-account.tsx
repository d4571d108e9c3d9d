import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { t } from "../../messages/operator/accounts.ts";
import { Button } from "../../shared/button.tsx";
import { create } from "../api.ts";
import { Confirm } from "../parts/confirm.tsx";
import { CopyButton } from "../parts/page.tsx";

/** Room as the field has it: GB, or nothing for no limit. */
export function quotaIn(form: FormData): number | null {
  const text = String(form.get("quota") ?? "").trim();
  return text === "" ? null : Math.round(Number(text) * 1_000_000_000);
}

export function QuotaField({ quota }: { quota: number | null }) {
  return (
    <label class="field">
      <span>{t("quota")}</span>
      <input
        class="input"
        name="quota"
        type="number"
        min="0.001"
        step="any"
        placeholder={t("quotaHint")}
        defaultValue={quota === null ? "" : String(quota / 1_000_000_000)}
      />
    </label>
  );
}

/** Without signs that look alike. */
const alphabet = "abcdefghjkmnpqrstuvwxyz023456789";

function newPassword(): string {
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => alphabet[byte % alphabet.length]!);
  return [0, 4, 8, 12].map((at) => bytes.slice(at, at + 4).join("")).join("-");
}

/** A field for a new password, which may be made here; it is in plain sight, to be handed on. */
export function PasswordField() {
  const field = useRef<HTMLInputElement>(null);
  const text = useSignal("");
  const make = () => {
    text.value = newPassword();
    if (field.current) field.current.value = text.value;
  };
  return (
    <div class="field">
      <label for="new-password">{t("password")}</label>
      <span class="field-line">
        <input
          ref={field}
          id="new-password"
          class="input"
          name="password"
          type="text"
          required
          minLength={8}
          autocomplete="new-password"
          spellcheck={false}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
        {text.value !== "" && <CopyButton text={text.value} what={t("password")} />}
        <Button onClick={make}>{t("generate")}</Button>
      </span>
      <span class="muted">{t("passwordHint")}</span>
    </div>
  );
}

/** `onClose` is told the id of the account that was added. */
export function NewAccount({ onClose }: { onClose(id: string | undefined): void }) {
  const made = useRef<string | undefined>(undefined);
  const work = async (form: FormData) => {
    const given = {
      login: String(form.get("login")).trim(),
      name: String(form.get("name")).trim(),
      password: String(form.get("password")),
      quota: quotaIn(form),
    };
    made.current = (await create("Account", given)).id;
  };
  return (
    <Confirm
      title={t("add")}
      act={t("addAct")}
      done={t("added")}
      work={work}
      onClose={(isDone) => onClose(isDone ? made.current : undefined)}
    >
      <p class="muted">{t("addWhy")}</p>
      <label class="field">
        <span>{t("login")}</span>
        <input class="input" name="login" type="email" required autocomplete="off" data-first />
      </label>
      <label class="field">
        <span>{t("name")}</span>
        <input class="input" name="name" maxLength={200} placeholder={t("nameHint")} dir="auto" autocomplete="off" />
      </label>
      <PasswordField />
      <QuotaField quota={20_000_000_000} />
    </Confirm>
  );
}
