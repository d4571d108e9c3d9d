import type { Incoming } from "../../../mail/deliver/incoming.ts";
import { type Check, defer, pass } from "./stage.ts";

/** Takes no more mail while too much of it waits for its accounts, as when a node is away for long. */
export function queueRoom({ incoming }: { incoming: Pick<Incoming, "isFull"> }): Check<"mail"> {
  return () => (incoming.isFull() ? defer(451, "4.3.1", "too much mail waits here, try again later") : pass());
}
