import { t } from "../../messages/operator/metrics.ts";
import { locale, number } from "../../shared/messages.ts";
import { ask } from "../api.ts";
import { Destinations } from "../overview/destinations.tsx";
import { Findings } from "../overview/health.tsx";
import { Queued } from "../overview/queued.tsx";
import type { Finding, Hour, Latency, QueueSums } from "../overview/types.ts";
import { BarChart, type Series } from "../parts/chart.tsx";
import { useFetched } from "../parts/fetched.ts";
import { ChoiceFilter, Filters } from "../parts/filters.tsx";
import { AgainButton, Card, Page, Shown } from "../parts/page.tsx";
import { route } from "../route.ts";

interface Step {
  at: string;
  in: { accepted: number; refused: number; failed: number };
  out: { sent: number; deferred: number; failed: number };
  filed: { inbox: number; junk: number; virus: number };
  feedback: { delivery: number; complaint: number };
  api: Latency;
  push: Latency;
}

interface Answer {
  steps: Step[];
  destinations: Hour["destinations"];
  queue: QueueSums;
  findings: Finding[];
}

/** Disk, nodes and certificate tell nobody that they change, nor do calls. */
const everyMs = 60_000;
/** Longer ones are counted as one. */
const slowMs = 10_000;

/** The last hour, or more of it, as charts. */
export function Metrics() {
  const { hours = "" } = route.value.filter;
  const load = () => ask<Answer>("Metrics/get", { hours: hours === "" ? "1" : hours });
  const fetched = useFetched(load, `metrics ${hours}`, { on: "mail", everyMs });
  return (
    <Page title={t("title")} about={t("about")} actions={<AgainButton fetched={fetched} />}>
      <Filters label={t("title")} hasButton={false}>
        <ChoiceFilter
          name="hours"
          label={t("time")}
          choices={[
            ["", t("hour")],
            ["6", t("sixHours")],
            ["24", t("day")],
          ]}
        />
      </Filters>
      <Shown fetched={fetched}>{(answer) => <Charts answer={answer} hours={hours} />}</Shown>
      <p class="muted">{t("prometheus")}</p>
    </Page>
  );
}

function Charts({ answer, hours }: { answer: Answer; hours: string }) {
  const { steps, destinations, queue, findings } = answer;
  const ends =
    hours === "24"
      ? ([t("dayAgo"), t("halfDayAgo"), t("now")] as const)
      : hours === "6"
        ? ([t("sixAgo"), t("threeAgo"), t("now")] as const)
        : ([t("hourAgo"), t("halfHourAgo"), t("now")] as const);
  const clock = new Intl.DateTimeFormat(locale.value, { timeStyle: "short" });
  const nameOf = (at: number) => clock.format(new Date(steps[at]!.at));
  const of = (tone: Series["tone"], name: string, value: (step: Step) => number): Series => ({
    ...{ tone, name },
    values: steps.map(value),
  });
  const shared = { ends, nameOf };
  return (
    <div class="overview">
      <Chart
        title={t("in")}
        series={[
          of("plain", t("accepted"), (step) => step.in.accepted),
          of("warn", t("refused"), (step) => step.in.refused),
          of("bad", t("failed"), (step) => step.in.failed),
        ]}
        {...shared}
      />
      <Chart
        title={t("out")}
        series={[
          of("plain", t("sent"), ({ out }) => out.sent),
          of("warn", t("deferred"), ({ out }) => out.deferred),
          of("bad", t("returned"), ({ out }) => out.failed),
        ]}
        {...shared}
      />
      <Chart
        title={t("spam")}
        series={[
          of("plain", t("inbox"), ({ filed }) => filed.inbox),
          of("warn", t("junk"), ({ filed }) => filed.junk),
          of("bad", t("virus"), ({ filed }) => filed.virus),
        ]}
        {...shared}
      />
      <Chart
        title={t("feedback")}
        series={[
          of("warn", t("bounces"), ({ feedback }) => feedback.delivery),
          of("bad", t("complaints"), ({ feedback }) => feedback.complaint),
        ]}
        {...shared}
      />
      <Times title={t("apiTime")} list={steps.map(({ api }) => api)} {...shared} />
      <Times title={t("pushTime")} list={steps.map(({ push }) => push)} {...shared} />
      <Queued queue={queue} />
      <Destinations list={destinations} />
      <Card title={t("server")} class="is-wide">
        <Findings findings={findings} />
      </Card>
    </div>
  );
}

interface ChartProps {
  title: string;
  ends: readonly [string, string, string];
  nameOf(at: number): string;
}

function Chart({ title, series, ...rest }: ChartProps & { series: Series[] }) {
  const sums = series.map(({ name, values }) => `${number(values.reduce((sum, one) => sum + one, 0))} ${name}`);
  return (
    <Card title={title}>
      <BarChart label={t("chart", { title, sums: sums.join(", ") })} series={series} {...rest} />
    </Card>
  );
}

/** How long things took, step by step; steps without any have no bar. */
function Times({ title, list, ...rest }: ChartProps & { list: readonly Latency[] }) {
  const values = list.map(({ count, mostMs }) => (count === 0 ? 0 : (mostMs ?? slowMs)));
  const most = Math.max(...values);
  const total = most === 0 ? t("noneYet") : most >= slowMs ? t("slow") : number(most);
  const name = t("within", { most: total });
  return (
    <Card title={title}>
      <BarChart
        label={t("chart", { title, sums: name })}
        series={[{ tone: "plain", name, values, total: "" }]}
        {...rest}
      />
    </Card>
  );
}
