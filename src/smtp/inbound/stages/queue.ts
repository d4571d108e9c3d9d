import type { Database } from "../../../store/core/database.ts";
import { type Check, defer, pass } from "./stage.ts";

/** Puts mail off before it is sent while the server with the queue is known to be away. */
export function queue({ database }: { database: Pick<Database, "nodes"> }): Check<"mail"> {
  return () => {
    if (!database.nodes.main.isGivenUp) return pass();
    return defer(451, "4.3.0", "mail can't be queued here at the moment, try again later");
  };
}
