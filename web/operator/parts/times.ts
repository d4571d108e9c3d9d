import { t } from "../../messages/operator/parts.ts";
import { locale } from "../../shared/messages.ts";

/** "3 minutes", in the largest unit that fits. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return t("seconds", { n: seconds });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return t("minutes", { n: minutes });
  const hours = Math.round(minutes / 60);
  return hours < 48 ? t("hours", { n: hours }) : t("days", { n: Math.round(hours / 24) });
}

/** "3 minutes ago", "in 2 hours". */
export function relative(instant: string, now = Date.now()): string {
  const ms = new Date(instant).getTime() - now;
  if (Math.abs(ms) < 1_500) return t("now");
  return ms < 0 ? t("ago", { time: span(-ms) }) : t("inTime", { time: span(ms) });
}

/** With seconds, as a log has it. */
export function exact(instant: string): string {
  const format = { dateStyle: "medium", timeStyle: "medium" } as const;
  return new Intl.DateTimeFormat(locale.value, format).format(new Date(instant));
}
