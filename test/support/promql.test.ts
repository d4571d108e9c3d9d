import { expect, test } from "vitest";
import { namesIn } from "./promql.ts";

test("metrics and labels are found, and nothing else", () => {
  const expression =
    'histogram_quantile(0.95, sum by (le, method) (rate(a_seconds_bucket{job="x, y", outcome!="ok"}[5m]))) > 1 and on (job) b:c == 0';
  expect(namesIn(expression)).toEqual({
    selectors: [
      { metric: "a_seconds_bucket", labels: ["job", "outcome"] },
      { metric: "b:c", labels: [] },
    ],
    grouped: ["le", "method", "job"],
  });
  expect(namesIn('sum(rate(a_total{x=~"5.."}[$__rate_interval])) by (x) / 2').grouped).toEqual(["x"]);
});

test.each(["sum(a", "a)", "nonsense(a)", "a ? b", 'a{x="y"', "a{x='y'}"])("%s is refused", (expression) => {
  expect(() => namesIn(expression)).toThrow();
});
