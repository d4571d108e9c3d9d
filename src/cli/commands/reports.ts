import { type Command, InvalidArgumentError, Option } from "commander";
import { examples, onStore } from "../command.ts";

const acts = () => import("../reports.ts");

export function addReportCommands(program: Command): void {
  const reports = program
    .command("reports")
    .description("DMARC and TLS reports that other servers sent of the domains here");
  onStore(
    filtered(reports.command("list").description("list reports, newest first"), 100).addHelpText(
      "after",
      examples("reports list --domain example.org --days 7"),
    ),
    async () => (await acts()).list,
  );
  onStore(
    reports
      .command("show <id>")
      .description("show a report with its rows: who sent how much mail, or which server failed how often, and why")
      .option("--json", "print JSON")
      .addHelpText("after", examples("reports show 0f3a9c1be27d4455")),
    async () => (await acts()).show,
  );
  onStore(
    filtered(reports.command("top").description("sum up the reports by domain, source and result"), 20).addHelpText(
      "after",
      examples("reports top --kind dmarc --days 30", "reports top --kind tls --json"),
    ),
    async () => (await acts()).top,
  );
}

function filtered(command: Command, limit: number): Command {
  return command
    .addOption(new Option("--kind <kind>", "only reports of this kind").choices(["dmarc", "tls"]))
    .option("--domain <domain>", "only reports of this domain")
    .option("--days <number>", "how far back", whole, 30)
    .option("--limit <number>", "the most rows to list", whole, limit)
    .option("--json", "print JSON");
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("It must be a positive whole number.");
  return Number(text);
}
