import { useSignal } from "@preact/signals";
import { t } from "../../messages/operator/domain-acts.ts";
import { Button } from "../../shared/button.tsx";
import { get, type Listed, type StsMode, update } from "../api.ts";
import { Confirm } from "../parts/confirm.tsx";
import { useFetched } from "../parts/fetched.ts";
import { Card, Changing, Shown } from "../parts/page.tsx";
import { isForAll } from "../session.ts";
import { RecordTable } from "./records.tsx";

const modes = ["testing", "enforce", "none"] as const satisfies StsMode[];

/** What the domain asks of those who send to it: TLS that can be verified (MTA-STS). */
export function Sts({ id }: { id: string }) {
  const fetched = useFetched(async () => (await get("Domain", id, ["mtaSts"]))?.mtaSts, `sts ${id}`);
  const isOpen = useSignal(false);
  return (
    <Card
      title={t("sts")}
      actions={
        isForAll.value && (
          <Changing>
            <Button onClick={() => (isOpen.value = true)} disabled={!fetched.value}>
              {t("setSts")}
            </Button>
          </Changing>
        )
      }
    >
      <p class="muted">{t("stsWhy")}</p>
      <Shown fetched={fetched}>
        {(policy) =>
          policy && (
            <>
              <p>
                <strong>{t(policy.mode ?? "off")}</strong>
                {policy.mode && (
                  <>
                    {" "}
                    <code>{policy.mx.join(", ")}</code>
                  </>
                )}
              </p>
              {policy.records.length > 0 && <RecordTable records={policy.records} label={t("sts")} />}
              {isOpen.value && (
                <SetPolicy
                  id={id}
                  policy={policy}
                  onClose={(isDone) => {
                    isOpen.value = false;
                    if (isDone) void fetched.again();
                  }}
                />
              )}
            </>
          )
        }
      </Shown>
    </Card>
  );
}

interface SetProps {
  id: string;
  policy: NonNullable<Listed["Domain"]["mtaSts"]>;
  onClose(isDone: boolean): void;
}

function SetPolicy({ id, policy, onClose }: SetProps) {
  const chosen = useSignal<string>(policy.mode ?? "testing");
  const isOff = chosen.value === "off";
  const save = (form: FormData) => {
    const mode = String(form.get("mode"));
    const mx = String(form.get("mx"))
      .split(/[\s,]+/)
      .filter(Boolean);
    return update("Domain", id, { mtaSts: mode === "off" ? null : { mode, mx } });
  };
  return (
    <Confirm title={t("setSts")} act={t("save")} done={t(isOff ? "takenAway" : "saved")} work={save} onClose={onClose}>
      <label class="field">
        <span>{t("mode")}</span>
        <select class="input" name="mode" data-first onChange={(event) => (chosen.value = event.currentTarget.value)}>
          {[...modes, "off" as const].map((mode) => (
            <option key={mode} value={mode} selected={mode === chosen.value}>
              {t(mode)}
            </option>
          ))}
        </select>
      </label>
      {/* Without a policy there are no hosts to name; what was typed stays, for who chooses anew. */}
      <label class="field" hidden={isOff}>
        <span>{t("mx")}</span>
        <input class="input" name="mx" required={!isOff} defaultValue={policy.mx.join(" ")} spellcheck={false} />
      </label>
      <p class="muted">{t("modesWhy")}</p>
    </Confirm>
  );
}
