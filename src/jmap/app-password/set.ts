import { plainMethod } from "../method.ts";
import { mayChangeCredentials } from "../own-login.ts";
import { setRecordArgs, setRecords } from "../standard/set.ts";
import { appPassword, newIds } from "./type.ts";

/** Ours (docs/jmap.md), in the form of RFC 8620 §5.3 */
export const appPasswordSet = plainMethod({
  name: "AppPassword/set",
  capability: appPassword.capability,
  args: setRecordArgs,
  async run(args, call) {
    mayChangeCredentials(call);
    return setRecords(appPassword, args, call, async (count) => newIds(count, call.services.random));
  },
});
