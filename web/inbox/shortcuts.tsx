import { t } from "../messages/shell.ts";
import { Dialog } from "../shared/dialog.tsx";
import { layers } from "../shared/keys.ts";
import { prefs } from "../shared/prefs.ts";

/** All keys that work right now, as the parts of the page have registered them. */
export function ShortcutsDialog({ onClose }: { onClose(): void }) {
  const shown = layers.value.filter(({ isModal }) => !isModal);
  return (
    <Dialog title={t("help")} onClose={onClose} class="shortcuts">
      {!prefs.value.singleKeys && <p class="notice">{t("keysOff")}</p>}
      {shown.map(({ title, actions }) => (
        <section key={title()}>
          <h3>{title()}</h3>
          <dl>
            {actions.map(({ keys, label }) => (
              <div key={keys.join()}>
                <dt>
                  <Keys keys={keys} />
                </dt>
                <dd>{label()}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}

function Keys({ keys }: { keys: readonly string[] }) {
  return (
    <>
      {keys.map((key, at) => (
        <span key={key}>
          {at > 0 && ` ${t("or")} `}
          {key.split(" ").map((one, place) => (
            <span key={one}>
              {place > 0 && ` ${t("andThen")} `}
              <kbd>{one}</kbd>
            </span>
          ))}
        </span>
      ))}
    </>
  );
}
