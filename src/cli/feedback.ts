import { type Command, InvalidArgumentError, Option } from "commander";
import { addSuppression, listBounces, listSuppressions, removeSuppression, topBounces } from "../admin/feedback.ts";
import { listAccounts } from "../store/directory/directory.ts";
import { type Context, examples, onStore } from "./command.ts";
import { say, table } from "./prompt.ts";

export function addFeedbackCommands(program: Command): void {
  const bounces = program.command("bounces").description("failed deliveries and complaints, kept for 90 days");
  onStore(
    bounces
      .command("list")
      .description("list bounces and complaints, newest first")
      .option("--account <address>", "those of this account's mail (default: of all accounts)")
      .addOption(new Option("--kind <kind>", "one queue").choices(["hard", "soft", "complaint"]))
      .option("--days <number>", "how far back", whole, 90)
      .option("--limit <number>", "the most rows to list", whole, 50)
      .option("--json", "print JSON")
      .addHelpText("after", examples("bounces list --kind complaint", "bounces list --account ann@example.org")),
    list,
  );
  onStore(
    bounces
      .command("top")
      .description("count bounces and complaints by destination")
      .option("--days <number>", "how far back", whole, 7)
      .option("--limit <number>", "the most rows to list", whole, 20)
      .option("--json", "print JSON")
      .addHelpText("after", examples("bounces top --days 1")),
    top,
  );
  const suppression = program
    .command("suppression")
    .description("addresses that get no mail: of one account, which hard bounces fill, or of the installation");
  onStore(
    suppression
      .command("list")
      .description("list suppressed addresses, newest first")
      .option("--account <address>", "the list of this account (default: that of the installation)")
      .option("--limit <number>", "the most rows to list", whole, 1000)
      .option("--json", "print JSON")
      .addHelpText("after", examples("suppression list --account ann@example.org")),
    listSuppressed,
  );
  onStore(
    suppression
      .command("add <address>")
      .description("refuse mail to an address when it is submitted")
      .option("--account <address>", "only mail of this account (default: of all accounts)")
      .option("--reason <text>", "shown to whoever sends to it", "by the operator")
      .addHelpText("after", examples("suppression add gone@example.net --reason 'asked for no mail'")),
    add,
  );
  onStore(
    suppression
      .command("remove <address>")
      .description("let mail go to an address again")
      .option("--account <address>", "the list of this account (default: that of the installation)")
      .addHelpText("after", examples("suppression remove back@example.net --account ann@example.org")),
    remove,
  );
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("It must be a positive whole number.");
  return Number(text);
}

type Given = { account?: string; limit: number; days: number; json?: true };

async function list({ admin, options }: Context): Promise<void> {
  const { account, kind, days, limit, json } = options as Given & { kind?: "hard" | "soft" | "complaint" };
  const rows = await listBounces(admin, { account, kind, days, limit });
  const logins = new Map((await listAccounts(admin.store.database)).map(({ login, userId }) => [userId, login]));
  const named = rows.map(({ userId, ...row }) => ({ account: logins.get(userId) ?? `number ${userId}`, ...row }));
  if (json) return say(JSON.stringify(named, null, 2));
  if (rows.length === 0) return say("There are no bounces and no complaints.");
  const cells = named.map((row) => [row.at.toISOString(), row.kind, row.account, row.recipient, row.reply]);
  say(table([["AT", "KIND", "ACCOUNT", "RECIPIENT", "REPLY"], ...cells]));
}

async function top({ admin, options }: Context): Promise<void> {
  const { days, limit, json } = options as Given;
  const rows = await topBounces(admin, { days, limit });
  if (json) return say(JSON.stringify(rows, null, 2));
  if (rows.length === 0) return say("There are no bounces and no complaints.");
  const cells = rows.map((row) => [String(row.count), row.kind, row.destination, row.newest.toISOString()]);
  say(table([["COUNT", "KIND", "DESTINATION", "NEWEST"], ...cells]));
}

async function listSuppressed({ admin, options }: Context): Promise<void> {
  const { account, limit, json } = options as Given;
  const rows = await listSuppressions(admin, account, limit);
  if (json) return say(JSON.stringify(rows, null, 2));
  if (rows.length === 0) return say("No address is suppressed.");
  const cells = rows.map(({ address, since, reason }) => [address, since.toISOString(), reason]);
  say(table([["ADDRESS", "SINCE", "REASON"], ...cells]));
}

async function add({ admin, options }: Context, text: string): Promise<void> {
  const { account, reason } = options as { account?: string; reason: string };
  say(`Mail to ${await addSuppression(admin, text, { account, reason })} is refused from now on.`);
}

async function remove({ admin, options }: Context, text: string): Promise<void> {
  const { account } = options as { account?: string };
  say(`Mail to ${await removeSuppression(admin, text, account)} is no longer refused by this list.`);
}
