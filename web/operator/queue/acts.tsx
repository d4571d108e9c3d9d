import { useSignal } from "@preact/signals";
import { t } from "../../messages/operator/queue.ts";
import { Button } from "../../shared/button.tsx";
import { type Listed, update } from "../api.ts";
import { Confirm } from "../parts/confirm.tsx";
import { attempt, Changing } from "../parts/page.tsx";

interface Props {
  mail: Listed["QueuedMessage"];
  again(): Promise<void>;
  /** In a row of the list: only what is done most. */
  isShort?: boolean;
}

/** What an operator does with a mail that waits. */
export function Acts({ mail, again, isShort = false }: Props) {
  const open = useSignal<"bounce" | "reroute" | undefined>(undefined);
  const has = (...states: string[]) => mail.deliveries.some(({ state }) => states.includes(state));
  const order = (given: object) => update("QueuedMessage", mail.id, { order: given });
  const run = async (act: "retry" | "hold" | "release", done: string) => {
    await attempt(() => order({ act }), done);
    await again();
  };
  const close = (isDone: boolean) => {
    open.value = undefined;
    if (isDone) void again();
  };
  return (
    <Changing>
      <span class="acts">
        {has("waiting") && <Button onClick={() => void run("retry", t("retried"))}>{t("retry")}</Button>}
        {has("held") && <Button onClick={() => void run("release", t("released"))}>{t("release")}</Button>}
        {!isShort && has("waiting", "delayed") && (
          <Button onClick={() => void run("hold", t("holding"))}>{t("hold")}</Button>
        )}
        {!isShort && has("waiting", "held") && <Button onClick={() => (open.value = "reroute")}>{t("reroute")}</Button>}
        {!isShort && has("waiting", "held", "delayed") && (
          <Button isDanger onClick={() => (open.value = "bounce")}>
            {t("bounce")}
          </Button>
        )}
      </span>
      {open.value === "bounce" && (
        <Confirm
          title={t("bounceTitle")}
          act={t("bounce")}
          isDanger
          done={t("bounced")}
          work={(form) => order({ act: "bounce", reply: String(form.get("reply")).trim() })}
          onClose={close}
        >
          <p>{t("bounceWhy")}</p>
          <ReplyField />
        </Confirm>
      )}
      {open.value === "reroute" && (
        <Confirm
          title={t("rerouteTitle")}
          act={t("reroute")}
          done={t("rerouted")}
          work={(form) => order({ act: "reroute", host: String(form.get("host")).trim() })}
          onClose={close}
        >
          <p>{t("rerouteWhy")}</p>
          <HostField />
        </Confirm>
      )}
    </Changing>
  );
}

export function ReplyField() {
  return (
    <label class="field">
      <span>{t("reply")}</span>
      <input
        class="input"
        name="reply"
        required
        pattern="5\d\d 5\.\d{1,3}\.\d{1,3} .{1,400}"
        title={t("replyHint")}
        defaultValue={t("replyDefault")}
      />
    </label>
  );
}

export function HostField() {
  return (
    <label class="field">
      <span>{t("host")}</span>
      <input class="input" name="host" required placeholder="mx.example.org:25" data-first />
    </label>
  );
}
