import { requireTls as name } from "../../../mail/submit/submit-parameters.ts";
import { type Check, pass, refuse } from "./stage.ts";

/** RFC 8689 §2, §4.2: REQUIRETLS has no value, and is of no use to a message that came in the clear. */
export const requireTls: Check<"mail"> = ({ tls }, { path: { parameters } }) => {
  const given = parameters[name];
  if (given === undefined) return pass();
  if (given !== true) return refuse(501, "5.5.4", `${name} takes no value`);
  if (tls === undefined) return refuse(530, "5.7.10", `${name} needs encryption: send STARTTLS first`);
  return pass();
};
