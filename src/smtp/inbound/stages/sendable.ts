import { isAddress } from "../../../mail/submit/submit.ts";
import { type Check, pass, refuse } from "./stage.ts";

/** Takes recipients anywhere: the sender has signed in. */
export const sendable: Check<"rcpt"> = (_, { path: { address } }) =>
  isAddress(address) ? pass({ isOutgoing: true }) : refuse(553, "5.1.3", "not an email address");
