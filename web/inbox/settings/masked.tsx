import { t } from "../../messages/settings.ts";
import { ask } from "../../shared/ask.tsx";
import { Button, IconButton } from "../../shared/button.tsx";
import { longDate } from "../../shared/dates.ts";
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
                // A label that was refused stays, to be mended.
                const create = () => change({ create: { new: { label } } }).then(() => form.reset());
                void attempt(() => create().then(again));
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
              {list.toReversed().map(({ id, email, label, state, messageCount, lastMessageAt }) => (
                <li key={id}>
                  <span class="settings-row-main">
                    <strong>{label || email}</strong>
                    <span class="muted">
                      {email} · {t("messages", { n: messageCount })}
                      {lastMessageAt !== null && ` · ${t("lastMessage", { date: longDate(lastMessageAt) })}`}
                    </span>
                  </span>
                  <label class="check">
                    <input
                      type="checkbox"
                      aria-label={`${t("isOn")}: ${label || email}`}
                      checked={state === "enabled"}
                      onChange={({ currentTarget }) =>
                        void act({ update: { [id]: { state: currentTarget.checked ? "enabled" : "disabled" } } })
                      }
                    />
                    <span>{t("isOn")}</span>
                  </label>
                  {/* Only a secure context may write to the clipboard. */}
                  {navigator.clipboard && (
                    <Button
                      onClick={() => void navigator.clipboard.writeText(email).then(() => toast({ text: t("copied") }))}
                    >
                      {t("copy")}
                    </Button>
                  )}
                  <IconButton
                    icon="trash"
                    label={`${t("remove")}: ${label || email}`}
                    onClick={() =>
                      void ask({
                        text: t("removeMaskedAsk", { address: email }),
                        yes: t("remove"),
                        isDanger: true,
                      }).then((isMeant) => (isMeant ? act({ destroy: [id] }) : undefined))
                    }
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
