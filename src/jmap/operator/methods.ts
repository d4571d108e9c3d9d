import type { Method } from "../method.ts";
import { account } from "./account/type.ts";
import { address } from "./address/type.ts";
import { audit } from "./audit/type.ts";
import { credential } from "./credential/type.ts";
import { domain } from "./domain/type.ts";
import { mailTraceFind } from "./mail-trace/find.ts";
import { maskedAddress } from "./masked-address/type.ts";
import type { Means } from "./means.ts";
import { metricsGet } from "./metrics/get.ts";
import { operator } from "./operator/type.ts";
import { overviewGet } from "./overview/get.ts";
import { quarantined } from "./quarantine/type.ts";
import { queuedMessage } from "./queued-message/type.ts";
import { methodsOf } from "./records.ts";
import { report } from "./report/type.ts";
import { standing } from "./standing/type.ts";
import { suppression } from "./suppression/type.ts";
import { sweepOf } from "./sweep.ts";

const types = [
  ...[account, address, audit, credential, domain, maskedAddress, operator],
  ...[quarantined, queuedMessage, report, standing, suppression],
];

/** All methods of the operators' door. */
export function operatorMethods(means: Means): Method[] {
  const ofTypes = types.flatMap((type) => [...methodsOf(type, means), ...sweepOf(type, means)]);
  return [overviewGet(means), metricsGet(means), mailTraceFind(means), ...ofTypes];
}
