import { plainMethod } from "../method.ts";
import { getRecordArgs, getRecords } from "../standard/get.ts";
import { signIn } from "./type.ts";

/** Ours (docs/jmap.md), in the form of RFC 8620 §5.1 */
export const signInGet = plainMethod({
  name: "SignIn/get",
  capability: signIn.capability,
  args: getRecordArgs,
  run: async (args, call) => ({ response: await getRecords(signIn, args, call) }),
});
