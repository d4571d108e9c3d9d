import { lastHour, queueSums } from "../../../admin/overview.ts";
import { capabilities } from "../../capability-names.ts";
import { utcDateText } from "../../dates.ts";
import { type Method, plainMethod } from "../../method.ts";
import { object } from "../../schema.ts";
import { acting, type Finding, type Means } from "../means.ts";
import { findingsOf } from "./findings.ts";

const worst = (found: readonly Finding[]): Finding["state"] =>
  found.some(({ state }) => state === "bad") ? "bad" : found.some(({ state }) => state === "warn") ? "warn" : "good";

/**
 * Ours (docs/jmap.md): how the installation is, and its last hour. It reads tables of the coordinator, in parts whose size is
 * bounded, and what this server knows of itself. A domain-admin is told nothing of the whole.
 */
export function overviewGet(means: Means): Method {
  return plainMethod({
    name: "Overview/get",
    capability: capabilities.operator,
    args: object({}),
    async run(_args, call) {
      const operator = acting(call, means);
      const at = utcDateText(call.services.clock.now());
      if (!operator.scope.isForAll) return { response: { at, state: null, findings: [], hour: null, queue: null } };
      const [hour, queue, own] = await Promise.all([
        lastHour(operator.admin),
        queueSums(operator.admin),
        means.findings(),
      ]);
      const findings = [...own, ...(await findingsOf(hour, queue, operator))];
      const minutes = hour.minutes.map((minute) => ({ ...minute, at: utcDateText(minute.at) }));
      const oldest = queue.oldest && utcDateText(queue.oldest);
      const response = {
        at,
        state: worst(findings),
        findings,
        hour: { ...hour, minutes },
        queue: { ...queue, oldest },
      };
      return { response };
    },
  });
}
