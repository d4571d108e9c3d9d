import { plainMethod } from "../method.ts";
import { mayChangeCredentials } from "../own-login.ts";
import { setRecordArgs, setRecords } from "../standard/set.ts";
import { signIn } from "./type.ts";

/** Ours (docs/jmap.md), in the form of RFC 8620 §5.3 */
export const signInSet = plainMethod({
  name: "SignIn/set",
  capability: signIn.capability,
  args: setRecordArgs,
  async run(args, call) {
    mayChangeCredentials(call);
    // None is created, so no id is used.
    return setRecords(signIn, args, call, async (count) => Array.from({ length: count }, (_, at) => at));
  },
});
