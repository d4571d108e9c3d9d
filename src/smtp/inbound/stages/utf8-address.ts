import { isAscii } from "node:buffer";
import { type Check, pass, refuse } from "./stage.ts";

/** RFC 6531 §3.5 */
export const utf8Address: Check<"mail" | "rcpt"> = (_, { path: { address }, isUtf8 }) => {
  if (address.includes("\ufffd")) return refuse(553, "5.6.7", "the address is not UTF-8");
  if (isUtf8 || isAscii(Buffer.from(address))) return pass();
  return refuse(553, "5.6.7", "an address that is not ASCII needs SMTPUTF8");
};
