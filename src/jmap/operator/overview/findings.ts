import { type Destination, type LastHour, lastReplyOf, type QueueSums } from "../../../admin/overview.ts";
import type { Acting, Finding } from "../means.ts";

/** Later than this, something is wrong with sending, or too little of it runs. */
const lateSeconds = 900;
const incomingLateSeconds = 300;
/** Fewer tries than these say little. */
const fewTries = 3;

/** What the queue and the last hour show to be amiss, worst first; what is well is not among them. */
export async function findingsOf(hour: LastHour, queue: QueueSums, { admin }: Acting): Promise<Finding[]> {
  const found: Finding[] = [];
  const add = (code: string, state: Finding["state"], values: Finding["values"] = {}) =>
    void found.push({ code, state, values });
  const minutes = (seconds: number) => Math.round(seconds / 60);
  if (queue.setAside > 0) add("setAside", "bad", { n: queue.setAside });
  if (queue.incomingAgeSeconds > incomingLateSeconds)
    add("incomingLate", "bad", { n: queue.incoming, minutes: minutes(queue.incomingAgeSeconds) });
  if (queue.dueAgeSeconds > lateSeconds)
    add("queueLate", "warn", { n: queue.due, minutes: minutes(queue.dueAgeSeconds) });
  for (const { domain, deferred } of hour.destinations.filter(isAway).slice(0, maxNamed)) {
    add("destinationAway", "warn", { domain, n: deferred, reply: (await lastReplyOf(admin, domain)) ?? "" });
  }
  if (queue.longer > 0) add("waitsLong", "warn", { n: queue.longer });
  if (queue.held > 0) add("held", "warn", { n: queue.held });
  const { filed, feedback } = hour;
  if (filed.virus > 0) add("virus", "warn", { n: filed.virus });
  if (feedback.complaint > 0) add("complaints", "warn", { n: feedback.complaint });
  return found;
}

const maxNamed = 3;
/** In the last hour nothing got through. */
const isAway = ({ domain, sent, deferred, failed }: Destination) =>
  domain !== "*" && sent === 0 && deferred >= fewTries && deferred > failed;
