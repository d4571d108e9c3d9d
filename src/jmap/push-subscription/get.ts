import { MethodError } from "../errors.ts";
import { plainMethod } from "../method.ts";
import { getRecordArgs, getRecords } from "../standard/get.ts";
import { pushSubscription } from "./type.ts";

/** RFC 8620 §7.2.1 */
export const pushSubscriptionGet = plainMethod({
  name: "PushSubscription/get",
  capability: pushSubscription.capability,
  args: getRecordArgs,
  async run(args, call) {
    const secret = args.properties?.find((name) => name === "url" || name === "keys");
    if (secret !== undefined) throw new MethodError("forbidden", `"${secret}" is never returned`);
    return { response: await getRecords(pushSubscription, args, call) };
  },
});
