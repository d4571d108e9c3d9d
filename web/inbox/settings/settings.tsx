import { t } from "../../messages/shell.ts";

export interface SettingsProps {
  /** The part after #/settings/, "" for the first. */
  section: string;
}

/** Loaded when it is first opened. */
export default function Settings(_: SettingsProps) {
  return <h1>{t("settings")}</h1>;
}
