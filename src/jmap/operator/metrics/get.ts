import { metricsOf } from "../../../admin/metrics.ts";
import { queueSums } from "../../../admin/overview.ts";
import { capabilities } from "../../capability-names.ts";
import { utcDateText } from "../../dates.ts";
import { type Method, plainMethod } from "../../method.ts";
import { object, oneOf, optional } from "../../schema.ts";
import { acting, type Means } from "../means.ts";

/**
 * Ours (docs/jmap.md): what happened in the last hour, six hours or day, in 60 steps, and how queue and server are now. It
 * reads the coordinator's counts, whose number depends on that time, not on the installation.
 */
export function metricsGet(means: Means): Method {
  return plainMethod({
    name: "Metrics/get",
    capability: capabilities.operator,
    args: object({ hours: optional(oneOf("1", "6", "24")) }),
    async run({ hours = "1" }, call) {
      const operator = acting(call, means);
      operator.scope.mustBeForAll();
      const [metrics, queue, findings] = await Promise.all([
        metricsOf(operator.admin, Number(hours)),
        queueSums(operator.admin),
        means.findings(),
      ]);
      return {
        response: {
          at: utcDateText(call.services.clock.now()),
          steps: metrics.steps.map((step) => ({ ...step, at: utcDateText(step.at) })),
          destinations: metrics.destinations,
          queue: { ...queue, oldest: queue.oldest && utcDateText(queue.oldest) },
          findings,
        },
      };
    },
  });
}
