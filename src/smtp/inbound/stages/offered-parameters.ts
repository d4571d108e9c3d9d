import { type Check, pass, refuse } from "./stage.ts";

/** RFC 5321 §4.1.1.11: refuses parameters that our EHLO does not offer. */
export function offeredParameters(...offered: string[]): Check<"mail" | "rcpt"> {
  return (_, { path }) => {
    const unknown = Object.keys(path.parameters).find((name) => !offered.includes(name));
    if (unknown === undefined) return pass();
    return refuse(555, "5.5.4", `the parameter ${unknown.slice(0, 40)} is not offered here, send without it`);
  };
}
