import { MethodError } from "../errors.ts";
import { plainMethod } from "../method.ts";
import { setRecordArgs, setRecords } from "../standard/set.ts";
import { pushSubscription } from "./type.ts";

/** RFC 8620 §7.2.2 */
export const pushSubscriptionSet = plainMethod({
  name: "PushSubscription/set",
  capability: pushSubscription.capability,
  args: setRecordArgs,
  async run(args, call) {
    if (call.services.store.database.isReadOnly) throw new MethodError("forbidden", "this server only reads");
    return setRecords(pushSubscription, args, call, async (count) => newIds(count, call.services.random));
  },
});

/** Random and never reused: a device may hold subscriptions of several logins. */
function newIds(count: number, random: (bytes: number) => Buffer): number[] {
  return Array.from({ length: count }, () => random(6).readUIntBE(0, 6));
}
