import type { Admin } from "../admin/admin.ts";
import { orderQueued, type QueueOrder, retryEnded } from "../admin/queue.ts";
import { auditQueues, type heaps, topOfQueue } from "../admin/queue-audit.ts";
import { listErrors, listIncoming, listQueued } from "../admin/queue-list.ts";
import type { Selection } from "../admin/queue-selection.ts";
import { trace } from "../admin/trace.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { withProgress } from "./progress.ts";
import { confirm, say, table } from "./prompt.ts";
import { errorCells, incomingCells, queuedCells, toJson } from "./queue-forms.ts";
import { storyText } from "./story-text.ts";

function selectionOf(options: Record<string, unknown>, ids: readonly string[] = []): Selection {
  const { domain, sender, olderThan } = options as { domain?: string; sender?: string; olderThan?: number };
  return { ...(ids.length > 0 && { names: ids }), domain, sender, minAgeMs: olderThan };
}

export async function list({ admin, options }: Context): Promise<void> {
  const { state, limit, json } = options as { state?: string; limit: number; json?: true };
  if (state === "error") {
    const errors = await listErrors(admin, limit);
    if (json) return say(toJson(errors));
    return say(errors.length === 0 ? "The error queue is empty." : table(errorCells(errors)));
  }
  if (state === "incoming") {
    const rows = await listIncoming(admin, limit);
    if (json) return say(toJson(rows));
    return say(rows.length === 0 ? "No accepted mail waits." : table(incomingCells(rows)));
  }
  const { rows, more } = await listQueued(admin, selectionOf(options), state as "waiting" | "held" | undefined, limit);
  if (json) return say(toJson(rows));
  say(rows.length === 0 ? "No mail waits to go out." : table(queuedCells(rows)));
  if (more) say(`There is more: --limit ${limit * 10}`);
}

export async function show({ admin, options }: Context, id: string): Promise<void> {
  const stories = await trace(admin, id, 0);
  if (stories.length === 0) throw new Failure(`no mail ${id} is known here`);
  say(options.json ? toJson(stories) : stories.map((story) => storyText(story, { isWhole: true })).join("\n\n"));
}

const done: Record<QueueOrder["act"], string> = {
  hold: "held",
  release: "released",
  retry: "due now",
  bounce: "returned to their senders",
  reroute: "sent by another host",
};

export async function order(
  { admin, options }: Context,
  act: QueueOrder["act"],
  ids: readonly string[],
): Promise<void> {
  const selection = selectionOf(options, ids);
  const isSelective = ids.length > 0 || Object.values(selection).some((one) => one !== undefined);
  if (!isSelective && !options.all) throw new Failure("name mails, or --domain, --sender, --older-than or --all");
  const wanted = {
    act,
    ...(act === "bounce" && { reply: options.reply }),
    ...(act === "reroute" && { host: options.host }),
  };
  const isDryRun = options.dryRun === true;
  if (act === "bounce" && ids.length === 0 && !isDryRun && !options.yes) {
    const { changed } = await orderQueued(admin, selection, wanted as QueueOrder, { isDryRun: true });
    if (!(await confirm(`Return ${changed} mails to their senders?`))) return;
  }
  const result = await withProgress((tell) =>
    orderQueued(admin, selection, wanted as QueueOrder, {
      isDryRun,
      tell: ({ changed }) => tell(`${changed} mails ${done[act]}`),
    }),
  );
  const changed = result.changed + (act === "retry" && !isDryRun ? await retryAllEnded(admin, ids) : 0);
  if (options.json) return say(toJson({ ...result, changed, isDryRun }));
  say(
    `${changed} ${changed === 1 ? "mail" : "mails"} ${isDryRun ? "would be" : changed === 1 ? "is" : "are"} ${done[act]}.`,
  );
  if (result.trying > 0) say(`${result.trying} are being tried right now, and were left as they are.`);
}

/** Those of the mails that do not wait. */
async function retryAllEnded(admin: Admin, ids: readonly string[]): Promise<number> {
  let count = 0;
  for (const id of ids) {
    const { rows } = await listQueued(admin, { names: [id] }, undefined, 1);
    if (rows.length === 0) count += await retryEnded(admin, id);
  }
  return count;
}

export async function audit({ admin, options }: Context): Promise<void> {
  const since = new Date(admin.store.clock.now().getTime() - (options.since as number));
  const found = await withProgress((tell) => auditQueues(admin, since, tell));
  const { incoming, outgoing } = found;
  if (incoming.missing.length > 0) process.exitCode = 1;
  if (options.json) return say(toJson(found));
  const { missing, ...counted } = incoming;
  const cells = (counts: object) =>
    Object.entries(counts).map(([name, count]) => [`  ${words[name] ?? name}`, String(count)]);
  say(table([["IN", ""], ...cells(counted), ["  missing", String(missing.length)], ["OUT", ""], ...cells(outgoing)]));
  for (const { mail, account } of missing) say(`Mail ${mail} was accepted for account ${account} and is not there.`);
}

const words: Record<string, string> = { setAside: "set aside", accountGone: "account removed" };

export async function top({ admin, options }: Context): Promise<void> {
  const { by, limit, json } = options as { by: keyof typeof heaps; limit: number; json?: true };
  const found = await withProgress(() => topOfQueue(admin, by, selectionOf(options), limit));
  if (json) return say(toJson(found));
  if (found.length === 0) return say("No mail waits to go out.");
  const cells = found.map(({ of, waiting, held, oldest, lastReply }) => {
    return [of, String(waiting), String(held), oldest.toISOString(), by === "reply" ? "" : lastReply];
  });
  say(table([[by.toUpperCase(), "WAITING", "HELD", "OLDEST", by === "reply" ? "" : "LAST REPLY"], ...cells]));
}
