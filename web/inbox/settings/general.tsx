import { t } from "../../messages/settings.ts";
import { IconButton } from "../../shared/button.tsx";
import { type Prefs, prefs, setPrefs } from "../../shared/prefs.ts";

const undoTimes = [0, 5, 10, 20, 30];

/** How this browser shows mail. */
export function General() {
  const { theme, language, singleKeys, plainText, undoSendSeconds } = prefs.value;
  return (
    <div class="settings-list">
      <Choice
        label={t("theme")}
        value={theme}
        options={[
          ["system", t("themeSystem")],
          ["light", t("themeLight")],
          ["dark", t("themeDark")],
        ]}
        onChange={(value) => setPrefs({ theme: value as Prefs["theme"] })}
      />
      <Choice
        label={t("language")}
        value={language}
        options={[
          ["system", t("languageSystem")],
          ["en", "English"],
          ["de", "Deutsch"],
        ]}
        onChange={(value) => setPrefs({ language: value as Prefs["language"] })}
      />
      <Choice
        label={t("undoTime")}
        value={String(undoSendSeconds)}
        options={undoTimes.map((n) => [String(n), n === 0 ? t("undoOff") : t("seconds", { n })])}
        onChange={(value) => setPrefs({ undoSendSeconds: Number(value) })}
      />
      <Check label={t("singleKeys")} isOn={singleKeys} onChange={(isOn) => setPrefs({ singleKeys: isOn })} />
      <Check label={t("plainText")} isOn={plainText} onChange={(isOn) => setPrefs({ plainText: isOn })} />
      <PictureSenders />
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: [value: string, text: string][];
  onChange(value: string): void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <select class="input" value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {options.map(([one, text]) => (
          <option key={one} value={one}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function Check({ label, isOn, onChange }: { label: string; isOn: boolean; onChange(isOn: boolean): void }) {
  return (
    <label class="check">
      <input type="checkbox" checked={isOn} onChange={({ currentTarget }) => onChange(currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

function PictureSenders() {
  const { pictureSenders } = prefs.value;
  return (
    <section class="settings-part">
      <h3>{t("pictures")}</h3>
      <p class="muted">{t("picturesWhy")}</p>
      {pictureSenders.length === 0 && <p>{t("picturesNone")}</p>}
      <ul class="settings-rows">
        {pictureSenders.map((address) => (
          <li key={address}>
            <span class="settings-row-main">{address}</span>
            <IconButton
              icon="trash"
              label={`${t("remove")}: ${address}`}
              onClick={() => setPrefs({ pictureSenders: pictureSenders.filter((one) => one !== address) })}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}
