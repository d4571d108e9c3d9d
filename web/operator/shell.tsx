import { effect, signal } from "@preact/signals";
import type { ComponentChild } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "../messages/operator/shell.ts";
import { IconButton } from "../shared/button.tsx";
import { useKeys } from "../shared/keys.ts";
import { prefs, setPrefs } from "../shared/prefs.ts";
import { ShortcutsDialog } from "../shared/shortcuts.tsx";
import { Accounts } from "./accounts/accounts.tsx";
import { Audit } from "./audit/audit.tsx";
import { Domains } from "./domains/domains.tsx";
import { Metrics } from "./metrics/metrics.tsx";
import { Operators } from "./operators/operators.tsx";
import { Overview } from "./overview/overview.tsx";
import { OwnIcon } from "./parts/icon.tsx";
import { Quarantine } from "./quarantine/quarantine.tsx";
import { Queue } from "./queue/queue.tsx";
import { Reports } from "./reports/reports.tsx";
import { go, href, type PlaceName, route } from "./route.ts";
import { isForAll, leave, me } from "./session.ts";
import { Senders } from "./standing/senders.tsx";
import { Suppression } from "./suppression/suppression.tsx";
import { Trace } from "./trace/trace.tsx";

interface Place {
  name: PlaceName;
  View: () => ComponentChild;
  /** Typed after "g". */
  key: string;
  /** Of operators of all domains alone. */
  isForAll?: true;
}

const groups: { title: () => string; places: Place[] }[] = [
  {
    title: () => t("groupMail"),
    places: [
      { name: "overview", View: Overview, key: "o" },
      { name: "metrics", View: Metrics, key: "t", isForAll: true },
      { name: "queue", View: Queue, key: "q" },
      { name: "trace", View: Trace, key: "m" },
    ],
  },
  {
    title: () => t("groupPeople"),
    places: [
      { name: "accounts", View: Accounts, key: "a" },
      { name: "domains", View: Domains, key: "d" },
    ],
  },
  {
    title: () => t("groupGuard"),
    places: [
      { name: "senders", View: Senders, key: "s" },
      { name: "suppression", View: Suppression, key: "x" },
      { name: "quarantine", View: Quarantine, key: "v" },
    ],
  },
  {
    title: () => t("groupRecord"),
    places: [
      { name: "reports", View: Reports, key: "r" },
      { name: "audit", View: Audit, key: "l" },
      { name: "operators", View: Operators, key: "p", isForAll: true },
    ],
  },
];

const isMenuOpen = signal(false);
const isHelpOpen = signal(false);
// Whoever goes somewhere wants to see it.
effect(() => {
  route.value;
  isMenuOpen.value = false;
});

const shown = () =>
  groups.map((group) => ({ ...group, places: group.places.filter((one) => !one.isForAll || isForAll.value) }));

/** What an operator sees: the places, and one of them. */
export function Shell() {
  const places = shown().flatMap((group) => group.places);
  const place = places.find(({ name }) => name === route.value.place) ?? places[0]!;
  const title = t("title", { place: t(place.name) });
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    document.querySelector("main")?.scrollTo(0, 0);
  }, [place.name, route.value.id]);
  useKeys(
    () => t("keysGeneral"),
    [
      { keys: ["?"], label: () => t("help"), run: () => (isHelpOpen.value = true) },
      ...places.map(({ name, key }) => ({ keys: [`g ${key}`], label: () => t(name), run: () => go({ place: name }) })),
    ],
  );
  return (
    <div class={`app ${isMenuOpen.value ? "has-menu" : ""}`}>
      <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>("main h1")?.focus()}>
        {t("skip")}
      </button>
      <header class="bar">
        <IconButton
          icon="menu"
          label={t("menu")}
          isPressed={isMenuOpen.value}
          onClick={() => (isMenuOpen.value = !isMenuOpen.peek())}
        />
        <Brand />
      </header>
      <Sidebar current={place.name} />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the menu button and Escape close it as well. */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: likewise. */}
      {isMenuOpen.value && <div class="scrim" onClick={() => (isMenuOpen.value = false)} />}
      <main class="content" key={place.name}>
        <place.View />
      </main>
      {isHelpOpen.value && <ShortcutsDialog onClose={() => (isHelpOpen.value = false)} />}
      {isMenuOpen.value && <MenuKeys />}
    </div>
  );
}

function Brand() {
  return (
    <p class="brand">
      <img src={document.querySelector<HTMLLinkElement>('link[rel="icon"]')?.href} alt="" width="26" height="26" />
      <span>
        {t("brand")} <span class="muted">{t("forOperators")}</span>
      </span>
    </p>
  );
}

function Sidebar({ current }: { current: PlaceName }) {
  return (
    <div class="side">
      <nav aria-label={t("menu")}>
        <Brand />
        {shown()
          .filter(({ places }) => places.length > 0)
          .map(({ title, places }) => (
            <div key={title()} class="side-group">
              <p class="side-title">{title()}</p>
              <ul>
                {places.map(({ name }) => (
                  <li key={name}>
                    <a
                      class="side-link"
                      href={href({ place: name })}
                      aria-current={name === current ? "page" : undefined}
                    >
                      <OwnIcon name={name} />
                      {t(name)}
                    </a>
                  </li>
                ))}
              </ul>
            </div>
          ))}
      </nav>
      <footer class="side-foot">
        <span class="side-who">
          <strong dir="auto">{me.value.login}</strong>
          <span class="muted">{roleWords()}</span>
        </span>
        <ThemeButton />
        <IconButton icon="help" label={t("keys")} onClick={() => (isHelpOpen.value = true)} />
        <IconButton icon="sign-out" label={t("signOut")} onClick={() => void leave()} />
      </footer>
    </div>
  );
}

function roleWords(): string {
  const { role, domains } = me.value;
  if (role === "read-only") return t("asReadOnly");
  return domains === null ? t("asAdmin") : t("asDomainAdmin", { domains: domains.join(", ") });
}

const themes = { system: "themeSystem", light: "themeLight", dark: "themeDark" } as const;
const next = { system: "light", light: "dark", dark: "system" } as const;

function ThemeButton() {
  const { theme } = prefs.value;
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={t(themes[theme])}
      title={t(themes[theme])}
      onClick={() => setPrefs({ theme: next[theme] })}
    >
      <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" fill="none">
        <path d="M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z" />
        <path d="M12 3v18a9 9 0 0 0 0-18z" fill={theme === "system" ? "currentColor" : "none"} />
        {theme === "dark" && <path d="M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z" fill="currentColor" />}
      </svg>
    </button>
  );
}

function MenuKeys() {
  useKeys(() => t("menu"), [{ keys: ["Escape"], label: () => t("menu"), run: () => (isMenuOpen.value = false) }]);
  return null;
}
