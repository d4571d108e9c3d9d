import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { createMetrics, metricsListener } from "../src/ops/metrics.ts";
import { namesIn } from "./support/promql.ts";
import { startServer, type TestServer } from "./support/server.ts";

/** docs/operations.md, the dashboard and the alerts, against the metrics of a running server. */
let server: TestServer;
/** Name → the labels that its samples may have. */
let exported: Map<string, readonly string[]>;

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

beforeAll(async () => {
  // Nothing answers there: what is exported with Redis is there all the same.
  server = await startServer({
    isShared: true,
    env: { POSTHORN_DEMO: "false", POSTHORN_REDIS: "redis://127.0.0.1:1" },
  });
  const text = await (await fetch(server.metricsUrl)).text();
  const { registry } = createMetrics();
  metricsListener(registry);
  const labelled = new Map(
    registry
      .getMetricsAsArray()
      .map((metric) => [metric.name, (metric as unknown as { labelNames: string[] }).labelNames]),
  );
  exported = new Map([...text.matchAll(/^# TYPE (\S+) \S+$/gm)].map(([, name]) => [name!, labelled.get(name!) ?? []]));
}, 120_000);
afterAll(() => server?.dispose());

interface Documented {
  name: string;
  labels: string[];
}

/** The rows of the table of metrics. */
function documented(): Documented[] {
  const rows = read("docs/operations.md").matchAll(/^\| `(posthorn_\w+)` \|([^|]*)\|[^|]+\|$/gm);
  return [...rows].map(([, name, labels]) => ({
    name: name!,
    labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!),
  }));
}

test("the documentation lists the metrics that a server has, with their labels", () => {
  const ours = [...exported].filter(([name]) => name.startsWith("posthorn_"));
  const listed = documented().map(({ name, labels }) => [name, labels]);
  expect(listed.toSorted()).toEqual(ours.toSorted());
  expect(ours.length).toBeGreaterThan(10);
});

/** What Prometheus adds. */
const scraped = ["job", "instance"];

/** What is wrong with an expression; undefined if all that it names is exported. */
function fault(expression: string): string | undefined {
  const { selectors, grouped } = namesIn(expression);
  if (selectors.length === 0) return "it names no metric";
  const known = new Set(scraped);
  for (const { metric, labels } of selectors) {
    const base = metric.replace(/_(bucket|sum|count)$/, "");
    const own = metric === "up" ? [] : (exported.get(metric) ?? exported.get(base));
    if (!own) return `${metric} is not exported`;
    const all = [...own, ...scraped, ...(metric.endsWith("_bucket") ? ["le"] : [])];
    const wrong = labels.find((label) => !all.includes(label));
    if (wrong !== undefined) return `${metric} has no label ${wrong}`;
    for (const label of all) known.add(label);
  }
  const strange = grouped.find((label) => !known.has(label));
  return strange === undefined ? undefined : `no metric has the label ${strange}`;
}

describe("the alerts", () => {
  interface Rule {
    alert: string;
    expr: string;
    for?: string;
    labels: { severity: string };
    annotations: { summary: string; description: string };
  }
  const { groups } = parse(read("packaging/prometheus/alerts.yml")) as { groups: { name: string; rules: Rule[] }[] };
  const rules = groups.flatMap((group) => group.rules);

  test.each(rules.map((rule) => [rule.alert, rule] as const))(
    "%s uses what is exported, and says what to do",
    (_, rule) => {
      expect(fault(rule.expr)).toBeUndefined();
      expect(rule.for ?? "1m").toMatch(/^\d+m$/);
      expect(rule.labels.severity).toMatch(/^(warning|critical)$/);
      expect(rule.annotations.summary.length * rule.annotations.description.length).toBeGreaterThan(0);
      const used = [...JSON.stringify(rule.annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label!);
      // Without an aggregation the labels of the metric are kept.
      const kept = /\b(sum|max)\b/.test(rule.expr) ? namesIn(rule.expr).grouped : [...scraped];
      for (const label of used) expect(kept, rule.alert).toContain(label);
    },
  );

  test("what the server relies on is watched: the database, bodies, S3 and Redis", () => {
    const used = new Set(rules.flatMap(({ expr }) => namesIn(expr).selectors.map(({ metric }) => metric)));
    for (const name of ["posthorn_ready", "posthorn_object_store_operation_seconds_count"])
      expect(used).toContain(name);
    for (const name of ["posthorn_s3_request_seconds_count", "posthorn_redis_up"]) expect(used).toContain(name);
  });

  test("each has a name of its own", () => {
    expect(rules.length).toBeGreaterThan(10);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });
});

describe("the dashboard", () => {
  interface Panel {
    id: number;
    type: string;
    title: string;
    gridPos: { h: number; w: number; x: number; y: number };
    targets?: { expr: string; refId: string }[];
  }
  const { panels, templating } = JSON.parse(read("packaging/grafana/posthorn.json")) as {
    panels: Panel[];
    templating: { list: { name: string; query: string }[] };
  };
  const graphs = panels.filter(({ type }) => type !== "row");

  test.each(graphs.map((panel) => [panel.title, panel] as const))("%s shows what is exported", (_, { targets }) => {
    expect(targets!.length).toBeGreaterThan(0);
    expect(new Set(targets!.map(({ refId }) => refId)).size).toBe(targets!.length);
    for (const { expr } of targets!) expect(fault(expr), expr).toBeUndefined();
  });

  test("it shows every metric of Posthorn that is documented", () => {
    const shown = new Set(
      graphs.flatMap(({ targets }) =>
        targets!.flatMap(({ expr }) => namesIn(expr).selectors.map(({ metric }) => metric)),
      ),
    );
    const isShown = (name: string) => [...shown].some((metric) => metric.replace(/_(bucket|sum|count)$/, "") === name);
    expect(documented().filter(({ name }) => !isShown(name))).toEqual([]);
  });

  test("its panels have ids of their own and do not overlap; its variables are defined", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { h, w, x, y } }) =>
      Array.from({ length: h * w }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(cells.every((cell) => Number(cell.split(" ")[0]) < 24)).toBe(true);
    const used = new Set([...JSON.stringify(panels).matchAll(/\$\{?([a-z]\w*)/g)].map(([, name]) => name));
    expect([...used].toSorted()).toEqual(templating.list.map(({ name }) => name).toSorted());
    for (const { query } of templating.list.filter(({ query }) => query.startsWith("label_values"))) {
      expect(fault(query.replace(/, \w+\)$/, ")"))).toBeUndefined();
    }
  });
});

test("a metric or a label that does not exist is found", () => {
  expect(fault("sum(posthorn_nothing)")).toBe("posthorn_nothing is not exported");
  expect(fault('posthorn_pushes_total{colour="red"}')).toBe("posthorn_pushes_total has no label colour");
  expect(fault("sum by (le) (posthorn_pushes_total)")).toBe("no metric has the label le");
  expect(fault("1 > 2")).toBe("it names no metric");
});
