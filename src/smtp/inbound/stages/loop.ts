import { type Check, pass, refuse } from "./stage.ts";

/** RFC 5321 §6.3 */
export const loop: Check<"data"> = (_, { header }) =>
  header.isLooping ? refuse(554, "5.4.6", "this message is going round in circles") : pass();
