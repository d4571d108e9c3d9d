import { type Command, InvalidArgumentError, Option } from "commander";
import type { Admin } from "../admin/admin.ts";
import { orderQueued, type QueueOrder, retryEnded } from "../admin/queue.ts";
import { auditQueues, heaps, topOfQueue } from "../admin/queue-audit.ts";
import { listErrors, listIncoming, listQueued } from "../admin/queue-list.ts";
import type { Selection } from "../admin/queue-selection.ts";
import { trace } from "../admin/trace.ts";
import { span, whole } from "./arguments.ts";
import { type Context, examples, onStore } from "./command.ts";
import { Failure } from "./fail.ts";
import { withProgress } from "./progress.ts";
import { confirm, say, table } from "./prompt.ts";
import { errorCells, incomingCells, queuedCells, toJson } from "./queue-forms.ts";
import { storyText } from "./story-text.ts";

const states = ["waiting", "held", "error", "incoming"];

export function addQueueCommands(program: Command): void {
  const queue = program.command("queue").description("mail that waits, in and out, and what went wrong with it");
  onStore(
    selecting(
      queue.command("list").description("list the mail that waits to go out; --state error lists what went wrong"),
    )
      .addOption(new Option("--state <state>", "which mail").choices(states))
      .option("--limit <number>", "the most rows to list", whole, 100)
      .option("--json", "print JSON")
      .addHelpText(
        "after",
        examples("queue list", "queue list --domain example.org", "queue list --state error --json"),
      ),
    list,
  );
  onStore(
    queue
      .command("show <id>")
      .description("show a mail, each attempt to send it, and what the servers said")
      .option("--json", "print JSON")
      .addHelpText("after", examples("queue show q7k2")),
    show,
  );
  addOrder(queue, "retry", "try mail now; with the id of one that failed or was set aside, try it again");
  addOrder(queue, "hold", "keep mail from being tried until it is released");
  addOrder(queue, "release", "let mail go that was held");
  addOrder(queue, "bounce", "return mail to its senders")
    .option("--reply <text>", "the reply in the report to the sender", reply, "554 5.0.0 returned by the operator")
    .option("--yes", "do not ask");
  addOrder(queue, "reroute", "send mail by another host than its domain's servers").requiredOption(
    "--host <host>",
    "the host, perhaps with a port",
  );
  onStore(
    queue
      .command("audit")
      .description(
        "account for all accepted mail: delivered, waiting, held, error, bounced; exit code 1 if any is missing",
      )
      .addOption(
        new Option("--since <duration>", "mail accepted so long ago or later")
          .argParser(span)
          .default(7 * 86_400_000, "7d"),
      )
      .option("--json", "print JSON")
      .addHelpText("after", examples("queue audit", "queue audit --since 1d --json")),
    audit,
  );
  onStore(
    selecting(queue.command("top").description("the largest heaps of mail that waits to go out"))
      .addOption(
        new Option("--by <what>", "what the mails of a heap have in common")
          .choices(Object.keys(heaps))
          .default("domain"),
      )
      .option("--limit <number>", "the most heaps to list", whole, 20)
      .option("--json", "print JSON")
      .addHelpText("after", examples("queue top", "queue top --by reply --domain example.org")),
    top,
  );
}

function selecting(command: Command): Command {
  return command
    .option("--domain <domain>", "mail to this domain")
    .option("--sender <address>", "mail of this sender, an address of one of our accounts")
    .option("--older-than <duration>", "mail accepted so long ago or earlier, such as 2h", span);
}

function addOrder(queue: Command, act: QueueOrder["act"], description: string): Command {
  const command = selecting(queue.command(`${act} [ids...]`).description(description))
    .option("--all", "all mail that waits")
    .option("--dry-run", "only count the mail")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        `queue ${act} q7k2${extra[act] ?? ""}`,
        `queue ${act} --domain example.org --dry-run${extra[act] ?? ""}`,
      ),
    );
  return onStore(command, (context, ...ids) => order(context, act, ids));
}

const extra: Partial<Record<QueueOrder["act"], string>> = { reroute: " --host relay.example.org:2525" };

/** RFC 5321 §4.2, RFC 3463: a permanent failure with an enhanced code. */
function reply(text: string): string {
  if (/^5\d\d 5\.\d{1,3}\.\d{1,3} [\x20-\x7e]{1,200}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a code, an enhanced code and words, such as "550 5.7.1 not wanted".');
}

function selectionOf(options: Record<string, unknown>, ids: readonly string[] = []): Selection {
  const { domain, sender, olderThan } = options as { domain?: string; sender?: string; olderThan?: number };
  return { ...(ids.length > 0 && { names: ids }), domain, sender, minAgeMs: olderThan };
}

async function list({ admin, options }: Context): Promise<void> {
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

async function show({ admin, options }: Context, id: string): Promise<void> {
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

async function order({ admin, options }: Context, act: QueueOrder["act"], ids: readonly string[]): Promise<void> {
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

async function audit({ admin, options }: Context): Promise<void> {
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

async function top({ admin, options }: Context): Promise<void> {
  const { by, limit, json } = options as { by: keyof typeof heaps; limit: number; json?: true };
  const found = await withProgress(() => topOfQueue(admin, by, selectionOf(options), limit));
  if (json) return say(toJson(found));
  if (found.length === 0) return say("No mail waits to go out.");
  const cells = found.map(({ of, waiting, held, oldest, lastReply }) => {
    return [of, String(waiting), String(held), oldest.toISOString(), by === "reply" ? "" : lastReply];
  });
  say(table([[by.toUpperCase(), "WAITING", "HELD", "OLDEST", by === "reply" ? "" : "LAST REPLY"], ...cells]));
}
