import { Resolver } from "node:dns/promises";
import type { Operator } from "../../src/admin/operators.ts";
import type { Means } from "../../src/jmap/operator/means.ts";
import { operatorMethods } from "../../src/jmap/operator/methods.ts";
import type { Store } from "../../src/store/core/store.ts";
import { TestClient, testLogin, testServices } from "./jmap.ts";

type Json = Record<string, unknown>;

/** A client of an operator, beyond the door. Answers are as they pass the wire. */
export function operatorClient(
  store: Store,
  operator: Operator,
  { resolver = new Resolver() }: Partial<Pick<Means, "resolver">> = {},
): (name: string, args?: Json) => Promise<Json> {
  const means: Means = {
    operatorOf: () => operator,
    site: { hostname: "mx.test", addresses: [], jmap: undefined, submissions: undefined, submission: undefined },
    allowPrivateTargets: true,
    resolver,
    defaultQuota: 0,
    hasSendingLimits: false,
    findings: async () => [],
  };
  const own = new TestClient(operatorMethods(means), testServices(store), testLogin([1], { login: operator.login }));
  return async (name, args = {}) => {
    const { responses } = await own.request([[name, args, "c"]]);
    return JSON.parse(JSON.stringify(responses[0]![1])) as Json;
  };
}
