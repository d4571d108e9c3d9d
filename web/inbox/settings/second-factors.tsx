import { useSignal } from "@preact/signals";
import { t } from "../../messages/second-factor.ts";
import { askAuth } from "../../shared/auth.ts";
import { Button } from "../../shared/button.tsx";
import { longDate } from "../../shared/dates.ts";
import { Dialog } from "../../shared/dialog.tsx";
import type { SecondFactor } from "../../shared/jmap/types.ts";
import { hasPasskeys } from "../../shared/passkeys.ts";
import { AddApp, addPasskey, type BegunApp, RecoveryCodes, whyNot } from "../../shared/second-factor/add.tsx";
import { toast } from "../../shared/toasts.tsx";
import { theMail } from "../mail.ts";
import { lastUse } from "./last-use.ts";
import { Loaded } from "./loaded.tsx";

const load = async (): Promise<SecondFactor> => (await theMail().jmap.call("SecondFactor/get", { ids: null })).list[0]!;

/** What the person is about to do, for which the password is asked. */
type Act = { is: "app" } | { is: "passkey" } | { is: "codes" } | { is: "remove"; id: string; name: string };

export function SecondFactors() {
  const codes = useSignal<string[]>([]);
  return (
    <Loaded load={load}>
      {(factor, again) => (
        <Shown factor={factor} again={again} codes={codes.value} onCodes={(made) => (codes.value = made)} />
      )}
    </Loaded>
  );
}

interface ShownProps {
  factor: SecondFactor;
  again(): Promise<void>;
  /** That were just made, while they are shown. */
  codes: string[];
  onCodes(codes: string[]): void;
}

function Shown({ factor: { totp, passkeys, recoveryCodesLeft }, again, codes, onCodes }: ShownProps) {
  const act = useSignal<Act | undefined>(undefined);
  const begun = useSignal<BegunApp | undefined>(undefined);
  const finish = async (made: string[] = []) => {
    act.value = undefined;
    begun.value = undefined;
    if (made.length > 0) onCodes(made);
    else toast({ text: t("changed") });
    await again();
  };
  /** Words for what went wrong. */
  const confirmed = async (asked: Act, fields: { password: string; label: string }): Promise<string | undefined> => {
    const { password, label } = fields;
    if (asked.is === "passkey") {
      const made = await addPasskey({ password }, label);
      if ("fault" in made) return made.fault;
      await finish(made.recoveryCodes);
      return undefined;
    }
    if (asked.is === "app") {
      const answer = await askAuth<BegunApp>("factors/totp/begin", { password });
      if (answer.is !== "ok") return whyNot(answer, t("unreachable"));
      begun.value = answer.value;
      act.value = undefined;
      return undefined;
    }
    const path = asked.is === "codes" ? "recovery-codes" : "factors/remove";
    const answer = await askAuth<{ recoveryCodes?: string[] }>(
      path,
      asked.is === "codes" ? { password } : { password, id: asked.id },
    );
    if (answer.is !== "ok") return whyNot(answer, t("unreachable"));
    await finish(answer.value.recoveryCodes);
    return undefined;
  };
  const has = totp !== null || passkeys.length > 0;
  const rows = [
    ...(totp ? [{ id: "totp", name: t("app"), ...totp, network: null }] : []),
    ...passkeys.map((one) => ({ ...one, name: one.label || t("passkey") })),
  ];
  return (
    <>
      <p class="muted">{t(has ? "factorsWhy" : "factorsNone")}</p>
      {codes.length > 0 && <RecoveryCodes codes={codes} onDone={() => onCodes([])} />}
      <ul class="settings-rows">
        {rows.map((row) => (
          <li key={row.id}>
            <span class="settings-row-main">
              <strong>{row.name}</strong>
              <span class="muted">{t("added", { date: longDate(row.createdAt), use: lastUse(row) })}</span>
            </span>
            <Button onClick={() => (act.value = { is: "remove", id: row.id, name: row.name })}>
              {t("remove")}
              <span class="visually-hidden">: {row.name}</span>
            </Button>
          </li>
        ))}
      </ul>
      {begun.value && <AddApp begun={begun.value} onAdded={({ recoveryCodes }) => void finish(recoveryCodes)} />}
      <div class="settings-line">
        {!totp && !begun.value && <Button onClick={() => (act.value = { is: "app" })}>{t("addApp")}</Button>}
        {hasPasskeys() && <Button onClick={() => (act.value = { is: "passkey" })}>{t("addPasskey")}</Button>}
        {has && <Button onClick={() => (act.value = { is: "codes" })}>{t("newCodes")}</Button>}
      </div>
      {(has || recoveryCodesLeft > 0) && <p class="muted">{t("codesLeft", { n: recoveryCodesLeft })}</p>}
      {act.value && <Confirm act={act.value} onClose={() => (act.value = undefined)} onConfirm={confirmed} />}
    </>
  );
}

interface ConfirmProps {
  act: Act;
  onClose(): void;
  onConfirm(act: Act, fields: { password: string; label: string }): Promise<string | undefined>;
}

const titles = { app: "addApp", passkey: "addPasskey", codes: "newCodes" } as const;

/** Second factors change in their owner's presence, so the password is asked for again. */
function Confirm({ act, onClose, onConfirm }: ConfirmProps) {
  const fault = useSignal("");
  const isBusy = useSignal(false);
  const title = act.is === "remove" ? t("removeAsk", { name: act.name }) : t(titles[act.is]);
  const confirm = async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    isBusy.value = true;
    const given = { password: String(fields.get("password")), label: String(fields.get("label") ?? "").trim() };
    fault.value = (await onConfirm(act, given)) ?? "";
    isBusy.value = false;
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="factor-form"
        onSubmit={(event) => {
          event.preventDefault();
          void confirm(event.currentTarget);
        }}
      >
        <p>{t("confirm")}</p>
        <input type="text" name="username" autocomplete="username" hidden value={theMail().session.username} readOnly />
        <label class="field">
          <span>{t("password")}</span>
          <input class="input" type="password" name="password" autocomplete="current-password" required data-first />
        </label>
        {act.is === "passkey" && (
          <label class="field">
            <span>{t("passkeyName")}</span>
            <input class="input" name="label" maxLength={100} placeholder={t("passkeyNameHint")} dir="auto" />
          </label>
        )}
        <div role="alert">{fault.value !== "" && <p class="error-text">{fault}</p>}</div>
        <div class="dialog-actions">
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button isPrimary submits isDanger={act.is === "remove"} disabled={isBusy.value}>
            {t(act.is === "remove" ? "remove" : "goOn")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
