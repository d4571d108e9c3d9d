import { t } from "../../messages/operator/overview.ts";
import { locale, number } from "../../shared/messages.ts";
import { BarChart, type Series } from "../parts/chart.tsx";
import { Card } from "../parts/page.tsx";
import type { Hour } from "./types.ts";

/** What came in and went out, by minute. */
export function Traffic({ hour: { minutes } }: { hour: Hour }) {
  const incoming: Series[] = [
    { tone: "plain", name: t("accepted"), values: minutes.map((one) => one.in.accepted) },
    { tone: "warn", name: t("refused"), values: minutes.map((one) => one.in.refused) },
    { tone: "bad", name: t("failed"), values: minutes.map((one) => one.in.failed) },
  ];
  const outgoing: Series[] = [
    { tone: "plain", name: t("sent"), values: minutes.map(({ out }) => out.sent) },
    { tone: "warn", name: t("deferred"), values: minutes.map(({ out }) => out.deferred) },
    { tone: "bad", name: t("returned"), values: minutes.map(({ out }) => out.failed) },
  ];
  const clock = new Intl.DateTimeFormat(locale.value, { timeStyle: "short" });
  const nameOf = (at: number) => clock.format(new Date(minutes[at]!.at));
  return (
    <>
      <Flow title={t("in")} series={incoming} nameOf={nameOf} />
      <Flow title={t("out")} series={outgoing} nameOf={nameOf} />
    </>
  );
}

function Flow({ title, series, nameOf }: { title: string; series: Series[]; nameOf(at: number): string }) {
  const total = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0);
  const sums = series.map(({ name, values }) => `${number(total(values))} ${name}`).join(", ");
  const byMinute = series[0]!.values.map((_, at) => total(series.map(({ values }) => values[at]!)));
  const label = t("chartLabel", { title, sums, most: Math.max(...byMinute) });
  return (
    <Card title={title} actions={<span class="muted">{t("lastHour")}</span>}>
      <BarChart label={label} series={series} ends={[t("hourAgo"), t("halfAgo"), t("now")]} nameOf={nameOf} />
    </Card>
  );
}
