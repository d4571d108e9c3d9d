import { type Command, InvalidArgumentError, Option } from "commander";
import type { QueueOrder } from "../../admin/queue.ts";
import type { heaps } from "../../admin/queue-audit.ts";
import { span, whole } from "../arguments.ts";
import { examples, onStore } from "../command.ts";

const acts = () => import("../queue.ts");

const heapNames: (keyof typeof heaps)[] = ["domain", "sender", "reply"];
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
    async () => (await acts()).list,
  );
  onStore(
    queue
      .command("show <id>")
      .description("show a mail, each attempt to send it, and what the servers said")
      .option("--json", "print JSON")
      .addHelpText("after", examples("queue show q7k2")),
    async () => (await acts()).show,
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
    async () => (await acts()).audit,
  );
  onStore(
    selecting(queue.command("top").description("the largest heaps of mail that waits to go out"))
      .addOption(
        new Option("--by <what>", "what the mails of a heap have in common").choices(heapNames).default("domain"),
      )
      .option("--limit <number>", "the most heaps to list", whole, 20)
      .option("--json", "print JSON")
      .addHelpText("after", examples("queue top", "queue top --by reply --domain example.org")),
    async () => (await acts()).top,
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
  return onStore(command, async () => {
    const { order } = await acts();
    return (context, ...ids) => order(context, act, ids);
  });
}

const extra: Partial<Record<QueueOrder["act"], string>> = { reroute: " --host relay.example.org:2525" };

/** RFC 5321 §4.2, RFC 3463: a permanent failure with an enhanced code. */
function reply(text: string): string {
  if (/^5\d\d 5\.\d{1,3}\.\d{1,3} [\x20-\x7e]{1,200}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a code, an enhanced code and words, such as "550 5.7.1 not wanted".');
}
