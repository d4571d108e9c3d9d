import { useEffect } from "preact/hooks";
import { t } from "../../messages/settings.ts";
import { IconButton } from "../../shared/button.tsx";
import { useKeys } from "../../shared/keys.ts";
import { theAccount, theMail } from "../mail.ts";
import { go } from "../route.ts";
import { DataExports, exportCapability } from "./data-exports.tsx";
import { General } from "./general.tsx";
import { Identities } from "./identities.tsx";
import { Masked, maskedCapability } from "./masked.tsx";
import { QuotaBar } from "./quota-bar.tsx";
import { Security, securityCapability } from "./security.tsx";
import { Vacation } from "./vacation.tsx";

export interface SettingsProps {
  /** The part after #/settings/, "" for the first. */
  section: string;
}

interface Section {
  key: string;
  title: () => string;
  View: () => preact.ComponentChild;
  /** Only where the server has it. */
  capability?: string;
}

const sections: Section[] = [
  { key: "general", title: () => t("general"), View: General },
  { key: "identities", title: () => t("identities"), View: Identities },
  { key: "vacation", title: () => t("vacation"), View: Vacation, capability: "urn:ietf:params:jmap:vacationresponse" },
  { key: "masked", title: () => t("masked"), View: Masked, capability: maskedCapability },
  { key: "security", title: () => t("security"), View: Security, capability: securityCapability },
  { key: "data", title: () => t("yourData"), View: DataExports, capability: exportCapability },
];

const leave = () => go({ place: { kind: "mailbox", key: "inbox" } });

/** Loaded when it is first opened. */
export default function Settings({ section }: SettingsProps) {
  const { capabilities } = theMail().session;
  const there = sections.filter(
    ({ capability }) => capability === undefined || Object.hasOwn(capabilities, capability),
  );
  const shown = there.find(({ key }) => key === section) ?? there[0]!;
  useKeys(() => t("settings"), [{ keys: ["Escape", "u"], label: () => t("back"), run: leave }]);
  useEffect(() => {
    document.querySelector<HTMLElement>(".settings h2")?.focus();
    // On a phone the sections are in a strip that scrolls.
    document.querySelector(".settings nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [shown.key]);
  return (
    <div class="settings">
      <header class="settings-head">
        <IconButton icon="back" label={t("back")} onClick={leave} />
        <h1>{t("settings")}</h1>
        <QuotaBar key={theAccount().id} />
      </header>
      <nav aria-label={t("settings")}>
        <ul>
          {there.map(({ key, title }) => (
            <li key={key}>
              <a href={`#/settings/${key}`} aria-current={key === shown.key ? "page" : undefined}>
                {title()}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <section class="settings-section" aria-labelledby="settings-title">
        <h2 id="settings-title" tabIndex={-1}>
          {shown.title()}
        </h2>
        <shown.View key={`${theAccount().id} ${shown.key}`} />
      </section>
    </div>
  );
}
