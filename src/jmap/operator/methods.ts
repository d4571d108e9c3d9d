import type { Method } from "../method.ts";
import { account } from "./account/type.ts";
import { address } from "./address/type.ts";
import { audit } from "./audit/type.ts";
import { credential } from "./credential/type.ts";
import { domain } from "./domain/type.ts";
import { mailTraceFind } from "./mail-trace/find.ts";
import type { Means } from "./means.ts";
import { operator } from "./operator/type.ts";
import { overviewGet } from "./overview/get.ts";
import { quarantined } from "./quarantine/type.ts";
import { queuedMessage } from "./queued-message/type.ts";
import { methodsOf } from "./records.ts";
import { report } from "./report/type.ts";
import { standing } from "./standing/type.ts";
import { suppression } from "./suppression/type.ts";

const types = [
  ...[account, address, audit, credential, domain, operator],
  ...[quarantined, queuedMessage, report, standing, suppression],
];

/** All methods of the operators' door. */
export function operatorMethods(means: Means): Method[] {
  return [overviewGet(means), mailTraceFind(means), ...types.flatMap((type) => methodsOf(type, means))];
}
