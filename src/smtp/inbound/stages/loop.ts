import { forwardingName } from "../../../mail/deliver/expand.ts";
import { type Check, pass, refuse } from "./stage.ts";

/** RFC 5321 §6.3: counts the hops, and looks for an address of ours that has sent the message on and would again. */
export const loop: Check<"data"> = (_, { header, recipients }) => {
  if (header.isLooping)
    return refuse(554, "5.4.6", "this message is going round in circles: look for forwards that lead to each other");
  const before = new Set(header.deliveredTo);
  const sending = recipients.flatMap(({ address, entry }) =>
    entry?.forwards ? forwardingName({ address, entry }) : [],
  );
  const again = sending.find((name) => before.has(name));
  if (again === undefined) return pass();
  return refuse(554, "5.4.6", `mail loop: ${again} has sent this message on, and it has come back`);
};
