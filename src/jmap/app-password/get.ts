import { plainMethod } from "../method.ts";
import { getRecordArgs, getRecords } from "../standard/get.ts";
import { appPassword } from "./type.ts";

/** Ours (docs/jmap.md), in the form of RFC 8620 §5.1 */
export const appPasswordGet = plainMethod({
  name: "AppPassword/get",
  capability: appPassword.capability,
  args: getRecordArgs,
  run: async (args, call) => ({ response: await getRecords(appPassword, args, call) }),
});
