import { useSignal } from "@preact/signals";
import { t } from "../../messages/settings.ts";
import { ask } from "../../shared/ask.tsx";
import { Button, IconButton } from "../../shared/button.tsx";
import type { AppPassword } from "../../shared/jmap/types.ts";
import { toast } from "../../shared/toasts.tsx";
import { theMail } from "../mail.ts";
import { lastUse } from "./last-use.ts";
import { attempt, Loaded, throwRefused } from "./loaded.tsx";

const load = async (): Promise<AppPassword[]> => (await theMail().jmap.call("AppPassword/get", { ids: null })).list;

export function AppPasswords() {
  /** The one that was just made, while its secret is shown. */
  const made = useSignal<{ label: string; secret: string } | undefined>(undefined);
  return (
    <Loaded load={load}>
      {(list, again) => {
        const add = async (form: HTMLFormElement) => {
          const label = String(new FormData(form).get("label")).trim();
          const { created, notCreated } = await theMail().jmap.call("AppPassword/set", { create: { new: { label } } });
          throwRefused(notCreated);
          made.value = { label, secret: created?.new?.secret ?? "" };
          form.reset();
          await again();
        };
        const remove = async ({ id }: AppPassword) => {
          const { notDestroyed } = await theMail().jmap.call("AppPassword/set", { destroy: [id] });
          throwRefused(notDestroyed);
          await again();
        };
        return (
          <>
            {made.value && <Secret {...made.value} onDone={() => (made.value = undefined)} />}
            <ul class="settings-rows">
              {list.map((app) => (
                <li key={app.id}>
                  <span class="settings-row-main">
                    <strong>{app.label}</strong>
                    <span class="muted">{lastUse(app)}</span>
                  </span>
                  <IconButton
                    icon="trash"
                    label={`${t("remove")}: ${app.label}`}
                    onClick={() =>
                      void ask({
                        text: t("removeAppAsk", { label: app.label }),
                        yes: t("remove"),
                        isDanger: true,
                      }).then((isMeant) => (isMeant ? attempt(() => remove(app)) : undefined))
                    }
                  />
                </li>
              ))}
            </ul>
            <form
              class="settings-line"
              onSubmit={(event) => {
                event.preventDefault();
                const form = event.currentTarget;
                void attempt(() => add(form));
              }}
            >
              <label class="field">
                <span>{t("label")}</span>
                <input class="input" name="label" required maxLength={200} placeholder={t("appHint")} dir="auto" />
              </label>
              <Button submits icon="plus">
                {t("newAppPassword")}
              </Button>
            </form>
          </>
        );
      }}
    </Loaded>
  );
}

/** It is shown only once: all of it, above the notices. */
const show = (element: HTMLElement | null): void => element?.scrollIntoView({ block: "center" });

function Secret({ label, secret, onDone }: { label: string; secret: string; onDone(): void }) {
  const copy = () => void navigator.clipboard?.writeText(secret).then(() => toast({ text: t("copied") }));
  return (
    <div ref={show} class="settings-secret" role="status">
      <p>{t("secretOnce", { label })}</p>
      <code>{secret}</code>
      <dl class="facts">
        <dt>{t("userName")}</dt>
        <dd>{theMail().session.username}</dd>
        <dt>{t("server")}</dt>
        <dd>{location.origin}</dd>
      </dl>
      <div class="dialog-actions">
        <Button onClick={copy}>{t("copy")}</Button>
        <Button isPrimary onClick={onDone}>
          {t("done")}
        </Button>
      </div>
    </div>
  );
}
