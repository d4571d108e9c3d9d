import { useSignal } from "@preact/signals";
import { t } from "../../messages/settings.ts";
import { Button } from "../../shared/button.tsx";
import type { VacationResponse } from "../../shared/jmap/types.ts";
import { localText } from "../composer/later.ts";
import { theAccount } from "../mail.ts";
import { attempt, Loaded, throwRefused } from "./loaded.tsx";

const load = async (): Promise<VacationResponse> => {
  const { id: accountId, jmap } = theAccount();
  return (await jmap.call("VacationResponse/get", { accountId, ids: null })).list[0]!;
};

/** The note that answers mails while somebody is away. */
export function Vacation() {
  return <Loaded load={load}>{(vacation, again) => <VacationForm vacation={vacation} onSaved={again} />}</Loaded>;
}

const dateOf = (text: string) => (text === "" ? null : `${new Date(text).toISOString().slice(0, 19)}Z`);

function VacationForm({ vacation, onSaved }: { vacation: VacationResponse; onSaved(): Promise<void> }) {
  const fault = useSignal("");
  const { isEnabled, fromDate, toDate, subject, textBody } = vacation;
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(fields.get(name) ?? "");
    const [from, to] = [dateOf(text("from")), dateOf(text("to"))];
    fault.value = from !== null && to !== null && to <= from ? t("endsBefore") : "";
    if (fault.value !== "") return;
    const values = {
      isEnabled: fields.has("isEnabled"),
      fromDate: from,
      toDate: to,
      subject: text("subject").trim() || null,
      textBody: text("text").trim() || null,
      htmlBody: null,
    };
    const { id: accountId, jmap } = theAccount();
    void attempt(
      async () => {
        const { notUpdated } = await jmap.call("VacationResponse/set", { accountId, update: { singleton: values } });
        throwRefused(notUpdated);
        await onSaved();
      },
      t(values.isEnabled ? "vacationIsOn" : "vacationIsOff"),
    );
  };
  const shown = (date: string | null) => (date === null ? "" : localText(new Date(date)));
  return (
    <form class="settings-form" onSubmit={save}>
      <label class="check">
        <input type="checkbox" name="isEnabled" defaultChecked={isEnabled} />
        <span>{t("vacationOn")}</span>
      </label>
      <p class="muted">{t("vacationWhy")}</p>
      <div class="settings-pair">
        <label class="field">
          <span>{t("from")}</span>
          <input class="input" type="datetime-local" name="from" defaultValue={shown(fromDate)} />
        </label>
        <label class="field">
          <span>{t("until")}</span>
          <input class="input" type="datetime-local" name="to" defaultValue={shown(toDate)} />
        </label>
      </div>
      <p class="muted">{t("vacationTimes")}</p>
      <label class="field">
        <span>{t("subject")}</span>
        <input class="input" name="subject" dir="auto" defaultValue={subject ?? ""} />
      </label>
      <label class="field">
        <span>{t("text")}</span>
        <textarea class="input" name="text" rows={6} dir="auto" defaultValue={textBody ?? ""} />
      </label>
      {fault.value !== "" && (
        <p class="error-text" role="alert">
          {fault}
        </p>
      )}
      <div class="dialog-actions">
        <Button submits isPrimary>
          {t("save")}
        </Button>
      </div>
    </form>
  );
}
