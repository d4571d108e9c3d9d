import { decodeId, encodeId, idPrefix } from "../base/ids.ts";
import { AccountMissing } from "../store/core/errors.ts";
import { hintQueued } from "../store/queues/due.ts";
import { retryMessage } from "../store/queues/incoming.ts";
import { heldUntil, orderDeliveries, queueAgain } from "../store/queues/queue-orders.ts";
import { type Admin, changeAccount, changeInstallation } from "./admin.ts";
import {
  nameOf,
  type QueueRow,
  type QueueState,
  rowsOf,
  type Selection,
  selectQueued,
  submissionsNamed,
} from "./queue-selection.ts";
import { Refused } from "./refused.ts";

export type QueueOrder =
  /** Keeps it from being tried until it is released. */
  | { act: "hold" }
  /** Makes what is held due now. */
  | { act: "release" }
  /** Makes what waits due now, though its servers may rest since they could not be reached: then one mail tries for all. */
  | { act: "retry" }
  /** Returns it to its sender, with this reply in the report (a code and an enhanced code of RFC 3463, then words). */
  | { act: "bounce"; reply: string }
  /** Sends it by this host from now on, "mx.example.org" or "192.0.2.1:2525", instead of the servers of its domain. */
  | { act: "reroute"; host: string };

export interface Ordered {
  /** Deliveries, so a mail to three counts three times. */
  changed: number;
  /** Left as they are, since a process is trying them. */
  trying: number;
}

interface Options {
  isDryRun?: boolean;
  most?: number;
  tell?: (done: Ordered) => void;
}

const concerned: Record<QueueOrder["act"], readonly QueueState[]> = {
  hold: ["waiting", "delayed"],
  release: ["held"],
  retry: ["waiting"],
  bounce: ["waiting", "held", "delayed"],
  reroute: ["waiting", "held"],
};

const maxInAudit = 200;

/**
 * Changes the selected mails, account by account, each with its row of the audit, but not more than `most` deliveries. A dry run only
 * counts.
 */
export async function orderQueued(
  admin: Admin,
  selection: Selection,
  order: QueueOrder,
  { isDryRun = false, most = Infinity, tell = () => {} }: Options = {},
): Promise<Ordered> {
  if (order.act === "reroute") checkHost(order.host);
  const done = { changed: 0, trying: 0 };
  for await (const page of selectQueued(admin, selection)) {
    done.trying += page.filter(({ standing }) => standing === "trying").length;
    const fit = page.filter(({ standing }) => concerned[order.act].includes(standing));
    const rows = fit.slice(0, most - done.changed);
    for (const [userId, own] of Map.groupBy(rows, (row) => row.userId)) {
      const changed = isDryRun ? own.length : await orderOf(admin, userId, own, order);
      done.changed += changed;
      done.trying += own.length - changed;
      tell(done);
    }
  }
  if (done.changed > 0 && !isDryRun) admin.bus.publish({ queued: "submissions" });
  return done;
}

async function orderOf(admin: Admin, userId: number, rows: readonly QueueRow[], order: QueueOrder): Promise<number> {
  const { store } = admin;
  const now = store.clock.now();
  const orders = rows.map(({ submissionId, no, sendAt }) => {
    // What its sender delays is not sent earlier.
    const due = order.act !== "bounce" && sendAt > now ? sendAt : now;
    return { submissionId, no, nextAttemptAt: order.act === "hold" ? heldUntil : due };
  });
  const columns = {
    isUrged: order.act === "retry",
    ...(order.act === "reroute" && { route: order.host }),
    ...(order.act === "bounce" && { returnReply: order.reply }),
  };
  try {
    const changed = await changeAccount(admin, { userId }, auditOf(order, rows), (tx) =>
      orderDeliveries(tx, orders, columns),
    );
    await hintQueued(store.database, userId, now);
    return changed;
  } catch (error) {
    if (error instanceof AccountMissing) return 0;
    throw error;
  }
}

function auditOf(order: QueueOrder, rows: readonly QueueRow[]) {
  const ids = [...new Set(rows.map(({ submissionId }) => encodeId(idPrefix.submission, submissionId)))];
  const more = ids.length > maxInAudit ? `,+${ids.length - maxInAudit}` : "";
  const submissions = `${ids.slice(0, maxInAudit).join(",")}${more}`;
  if (order.act === "bounce") return { act: "queue.bounce", submissions, reply: order.reply } as const;
  if (order.act === "reroute") return { act: "queue.reroute", submissions, host: order.host } as const;
  return { act: `queue.${order.act}`, submissions } as const;
}

/**
 * Tries again what had come to an end: a message that was set aside on its way in, or deliveries that failed, though their
 * sender has been told. Returns how many; throws Refused if there is nothing of that name to try.
 */
export async function retryEnded(admin: Admin, text: string): Promise<number> {
  const { store, bus } = admin;
  const mailId = decodeId(idPrefix.incoming, text);
  if (mailId !== undefined) {
    const what = { act: "queue.retry", mail: text } as const;
    const missing = new Refused({ type: "noMail", text });
    const isFound = await changeInstallation(admin, what, async (executor) => {
      if (!(await retryMessage(executor, mailId, store.clock.now()))) throw missing;
      return true;
    }).catch((error: unknown) => {
      if (error === missing) return false;
      throw error;
    });
    if (isFound) return 1;
  }
  let count = 0;
  const rows = await rowsOf(admin, await submissionsNamed(admin, text));
  const failed = new Map(rows.filter(({ standing }) => standing === "failed").map((row) => [nameOf(row), row]));
  for (const { userId, submissionId } of failed.values()) {
    const what = { act: "queue.retry", submissions: encodeId(idPrefix.submission, submissionId) } as const;
    count += await changeAccount(admin, { userId }, what, (tx) => queueAgain(tx, submissionId));
    await hintQueued(store.database, userId, store.clock.now());
  }
  if (count > 0) bus.publish({ queued: "submissions" });
  return count;
}

/** A host name, an IPv4 address or an IPv6 address in brackets, perhaps with a port. */
function checkHost(text: string): void {
  const isHost = /^(?:[\w-]+(?:\.[\w-]+)*|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(text) && URL.canParse(`smtp://${text}`);
  if (!isHost) throw new Refused({ type: "notAHost", text });
}
