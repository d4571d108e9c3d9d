import { t } from "../../messages/settings.ts";
import { Button, IconButton } from "../../shared/button.tsx";
import type { MaskedAddress } from "../../shared/jmap/types.ts";
import { toast } from "../../shared/toasts.tsx";
import { theAccount } from "../mail.ts";
import { attempt, Loaded, throwRefused } from "./loaded.tsx";

export const maskedCapability = "https://posthorn.example/jmap/masked-addresses";

const load = async (): Promise<MaskedAddress[]> => {
  const { id: accountId, jmap } = theAccount();
  return (await jmap.call("MaskedAddress/get", { accountId, ids: null })).list;
};

async function change(args: { create?: object; update?: object; destroy?: string[] }): Promise<void> {
  const { id: accountId, jmap } = theAccount();
  const given = args as { create?: Record<string, object>; update?: Record<string, object>; destroy?: string[] };
  const { notCreated, notUpdated, notDestroyed } = await jmap.call("MaskedAddress/set", { accountId, ...given });
  throwRefused(notCreated, notUpdated, notDestroyed);
}

/** Addresses to give away one by one. */
export function Masked() {
  return (
    <Loaded load={load}>
      {(list, again) => {
        const act = (args: Parameters<typeof change>[0]) => attempt(() => change(args).then(again));
        return (
          <>
            <p class="muted">{t("maskedWhy")}</p>
            <form
              class="settings-line"
              onSubmit={(event) => {
                event.preventDefault();
                const form = event.currentTarget;
                const label = String(new FormData(form).get("label")).trim();
                void act({ create: { new: { label } } }).then(() => form.reset());
              }}
            >
              <label class="field">
                <span>{t("label")}</span>
                <input class="input" name="label" placeholder={t("maskHint")} dir="auto" />
              </label>
              <Button submits icon="plus">
                {t("newMasked")}
              </Button>
            </form>
            <ul class="settings-rows">
              {list.toReversed().map(({ id, email, label, state, messageCount }) => (
                <li key={id}>
                  <span class="settings-row-main">
                    <strong>{label || email}</strong>
                    <span class="muted">
                      {email} · {t("messages", { n: messageCount })}
                    </span>
                  </span>
                  <label class="check">
                    <input
                      type="checkbox"
                      checked={state === "enabled"}
                      onChange={({ currentTarget }) =>
                        void act({ update: { [id]: { state: currentTarget.checked ? "enabled" : "disabled" } } })
                      }
                    />
                    <span>{t("isOn")}</span>
                  </label>
                  <Button
                    onClick={() => void navigator.clipboard?.writeText(email).then(() => toast({ text: t("copied") }))}
                  >
                    {t("copy")}
                  </Button>
                  <IconButton
                    icon="trash"
                    label={`${t("remove")}: ${label || email}`}
                    onClick={() => confirm(t("removeMaskedAsk", { address: email })) && void act({ destroy: [id] })}
                  />
                </li>
              ))}
            </ul>
          </>
        );
      }}
    </Loaded>
  );
}
