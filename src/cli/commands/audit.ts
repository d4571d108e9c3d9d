import type { Command } from "commander";
import { whole } from "../arguments.ts";
import { examples, onStore } from "../command.ts";

const acts = () => import("../audit.ts");

export function addAuditCommand(program: Command): void {
  onStore(
    program
      .command("audit")
      .description("list what operators did, newest first: to domains and removed accounts, or to one account")
      .option("--account <address>", "list what was done to this account")
      .option("--limit <number>", "the most rows to list", whole, 50)
      .option("--before <seq>", "list rows older than this one", whole)
      .option("--verify", "check that no row was changed or removed; prints the first that was, with exit code 1")
      .option("--json", "print JSON")
      .addHelpText("after", examples("audit", "audit --account ann@example.org --json", "audit --verify")),
    async () => (await acts()).audit,
  );
}
