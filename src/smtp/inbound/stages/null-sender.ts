import { type Check, defer, pass, refuse } from "./stage.ts";

/** RFC 5321 §4.5.5: what has the null sender, such as a report, is for one recipient. */
export const oneForNullSender: Check<"rcpt"> = (_, { mailFrom, recipients }) =>
  mailFrom === "" && recipients > 0 ? defer(452, "4.5.3", "mail without a sender goes to one recipient") : pass();

/** Nobody's login is the null sender. */
export const namedSender: Check<"mail"> = (_, { mailFrom }) =>
  mailFrom === "" ? refuse(550, "5.7.1", "no sender is given: send with one of your own addresses") : pass();
