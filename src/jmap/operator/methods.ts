import type { Method } from "../method.ts";
import { account } from "./account/type.ts";
import { address } from "./address/type.ts";
import { credential } from "./credential/type.ts";
import { domain } from "./domain/type.ts";
import type { Means } from "./means.ts";
import { operator } from "./operator/type.ts";
import { overviewGet } from "./overview/get.ts";
import { queuedMessage } from "./queued-message/type.ts";
import { methodsOf } from "./records.ts";

const types = [account, address, credential, domain, operator, queuedMessage];

/** All methods of the operators' door. */
export function operatorMethods(means: Means): Method[] {
  return [overviewGet(means), ...types.flatMap((type) => methodsOf(type, means))];
}
