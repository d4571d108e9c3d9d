import { t } from "../messages/shared.ts";
import { Dialog } from "./dialog.tsx";
import { type KeyAction, layers } from "./keys.ts";
import { prefs } from "./prefs.ts";

/** All keys that work right now, as the parts of the page have registered them. */
export function ShortcutsDialog({ onClose }: { onClose(): void }) {
  const sections = Map.groupBy(
    layers.value.filter(({ isModal }) => !isModal),
    ({ title }) => title(),
  );
  return (
    <Dialog title={t("shortcuts")} onClose={onClose} class="shortcuts">
      {!prefs.value.singleKeys && <p class="notice">{t("keysOff")}</p>}
      {[...sections].map(([title, parts]) => (
        <section key={title}>
          <h3>{title}</h3>
          <dl>
            {rowsOf(parts.flatMap(({ actions }) => actions)).map(({ keys, label }) => (
              <div key={label}>
                <dt>
                  <Keys keys={keys} />
                </dt>
                <dd>{label}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}

/** One row for what has the same name: the list and the open conversation have the same commands, and j is the arrow. */
function rowsOf(actions: readonly KeyAction[]): { label: string; keys: string[] }[] {
  const rows = Map.groupBy(actions, ({ label }) => label());
  return [...rows].map(([label, same]) => ({ label, keys: [...new Set(same.flatMap(({ keys }) => keys))] }));
}

const symbols: Record<string, string> = { ArrowDown: "↓", ArrowUp: "↑", Escape: "Esc" };

function Keys({ keys }: { keys: readonly string[] }) {
  return (
    <>
      {keys.map((key, at) => (
        <span key={key}>
          {at > 0 && ` ${t("or")} `}
          {key.split(" ").map((one, place) => (
            <span key={one}>
              {place > 0 && ` ${t("andThen")} `}
              <kbd>{symbols[one] ?? one}</kbd>
            </span>
          ))}
        </span>
      ))}
    </>
  );
}
