import type { Command } from "commander";
import { examples, onStore } from "../command.ts";

export function addPoolsCommand(program: Command): void {
  const pools = program.command("pools").description("the addresses that mail leaves from (--pools)");
  onStore(
    pools
      .command("show")
      .description("show each address: its pool, its plan for today, what has left from it, and what DNS says of it")
      .option("--json", "print JSON")
      .addHelpText("after", examples("pools show --pools /etc/posthorn/pools")),
    async () => (await import("../pools.ts")).show,
  );
}
