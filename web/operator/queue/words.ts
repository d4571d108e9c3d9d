import { t } from "../../messages/operator/queue.ts";
import type { Delivery } from "../api.ts";
import type { State } from "../parts/page.tsx";

export const stateWords = (state: Delivery["state"]): string => t(state);

const badges: Record<Delivery["state"], State> = {
  waiting: "warn",
  trying: "unknown",
  held: "warn",
  delayed: "unknown",
  sent: "good",
  failed: "bad",
  canceled: "unknown",
};
export const stateBadge = (state: Delivery["state"]): State => badges[state];
