import { t } from "../../messages/settings.ts";
import { longDate } from "../../shared/dates.ts";

/** "Last used on Monday from 192.0.2.1" */
export function lastUse({ lastUsedAt, network }: { lastUsedAt: string | null; network: string | null }): string {
  if (lastUsedAt === null) return t("neverUsed");
  const date = longDate(lastUsedAt);
  return network === null ? t("lastUsed", { date }) : t("lastUsedFrom", { date, network });
}

/** By which a User-Agent names a browser: those that also name others come first. */
const browsers = [
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/Chrome\/|CriOS\//, "Chrome"],
  [/\bSafari\//, "Safari"],
] as const;
const systems = [
  [/\bWindows\b/, "Windows"],
  [/\bAndroid\b/, "Android"],
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bMac OS\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
] as const;

/** The browser and system of a User-Agent, as people call them; the text itself for others. */
export function agentName(agent: string): string {
  const nameIn = (list: readonly (readonly [RegExp, string])[]) => list.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = nameIn(browsers);
  if (browser === undefined) return agent.slice(0, 80);
  return [browser, nameIn(systems)].filter((name) => name !== undefined).join(", ");
}
