import type { Command } from "commander";
import { examples, onStore } from "../command.ts";

const acts = () => import("../reindex.ts");

export function addReindexCommand(program: Command): void {
  onStore(
    program
      .command("reindex")
      .description(
        "rebuild the search terms of mail that an older version indexed; may run beside a server, and again after an interruption",
      )
      .argument("[accounts...]", "their main addresses")
      .option("--all", "all accounts")
      .addHelpText("after", examples("reindex --all", "reindex ann@example.org")),
    async () => (await acts()).reindex,
  );
}
