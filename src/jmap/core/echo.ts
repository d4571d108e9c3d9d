import { capabilities } from "../capability-names.ts";
import { plainMethod } from "../method.ts";
import { openObject } from "../schema.ts";

/** RFC 8620 §4 */
export const coreEcho = plainMethod({
  name: "Core/echo",
  capability: capabilities.core,
  args: openObject({}),
  run: async (args) => ({ response: args }),
});
