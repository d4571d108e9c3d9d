import { lasting, type Metrics, type MetricValues, merge } from "../../ops/metrics.ts";
import type { Scraped } from "../../ops/metrics-server.ts";

/** The metrics of a parent and its children as those of one server. Counters never fall when a child ends. */
export class FamilyMetrics implements Scraped {
  readonly contentType: string;
  readonly #own: Metrics;
  readonly #children: () => Promise<MetricValues[]>;
  #buried: MetricValues = [];

  constructor(own: Metrics, children: () => Promise<MetricValues[]>) {
    this.#own = own;
    this.#children = children;
    this.contentType = own.contentType;
  }

  async text(): Promise<string> {
    const [own, children] = await Promise.all([this.#own.json(), this.#children()]);
    return merge([own, this.#buried, ...children]).metrics();
  }

  /** Keeps the counts of a child that has ended. */
  async bury(values: MetricValues): Promise<void> {
    // Merged at once, so that what is buried meanwhile is not lost.
    const sum = merge([this.#buried, lasting(values)]);
    this.#buried = await sum.getMetricsAsJSON();
  }
}
