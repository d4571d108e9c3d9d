import type { Command } from "commander";
import { examples, onStore } from "../command.ts";

export function addUndeleteCommand(program: Command): void {
  onStore(
    program
      .command("undelete")
      .description("bring back what was destroyed in an account, or an account that was removed")
      .requiredOption("--account <address>", "the account's main address")
      .option(
        "--since <time>",
        "what was destroyed since then: a time such as 2026-03-01T12:00Z, or a duration such as 2h",
      )
      .option("--dry-run", "only show what would come back")
      .addHelpText(
        "after",
        examples(
          "undelete --account ann@example.org --since 2h --dry-run",
          "undelete --account ann@example.org --since 2026-03-01",
        ),
      ),
    async () => (await import("../undelete.ts")).undelete,
  );
}
