import { type Command, InvalidArgumentError, Option } from "commander";
import { examples, onStore } from "../command.ts";

const acts = () => import("../feedback.ts");

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
    async () => (await acts()).list,
  );
  onStore(
    bounces
      .command("top")
      .description("count bounces and complaints by destination")
      .option("--days <number>", "how far back", whole, 7)
      .option("--limit <number>", "the most rows to list", whole, 20)
      .option("--json", "print JSON")
      .addHelpText("after", examples("bounces top --days 1")),
    async () => (await acts()).top,
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
    async () => (await acts()).listSuppressed,
  );
  onStore(
    suppression
      .command("add <address>")
      .description("refuse mail to an address when it is submitted")
      .option("--account <address>", "only mail of this account (default: of all accounts)")
      .option("--reason <text>", "shown to whoever sends to it", "by the operator")
      .addHelpText("after", examples("suppression add gone@example.net --reason 'asked for no mail'")),
    async () => (await acts()).add,
  );
  onStore(
    suppression
      .command("remove <address>")
      .description("let mail go to an address again")
      .option("--account <address>", "the list of this account (default: that of the installation)")
      .addHelpText("after", examples("suppression remove back@example.net --account ann@example.org")),
    async () => (await acts()).remove,
  );
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("It must be a positive whole number.");
  return Number(text);
}
