import { type Check, pass, refuse } from "./stage.ts";

/** RFC 5321 §6.3: counts the hops, and looks for an address of ours that has sent the message on and would again. */
export const loop: Check<"data"> = (_, { header, recipients }) => {
  if (header.isLooping) return refuse(554, "5.4.6", "this message is going round in circles");
  const before = new Set(header.deliveredTo);
  const again = recipients.find(({ entry }) => entry?.forwards && before.has(entry.address));
  if (!again) return pass();
  return refuse(554, "5.4.6", `mail loop: ${again.entry!.address} has sent this message on, and it has come back`);
};
