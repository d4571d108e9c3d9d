import type { Command } from "commander";
import { examples, onStore } from "../command.ts";

const acts = () => import("../spam.ts");

export function addSpamCommands(program: Command): void {
  const spam = program.command("spam").description("what the spam filter of an account has learned");
  onStore(
    spam
      .command("learn <address> <kind> <files...>")
      .description("teach an account's filter messages of a kind, spam or ham (wanted mail), one in each file")
      .addHelpText(
        "after",
        examples("spam learn ann@example.org spam spam/*.eml", "spam learn ann@example.org ham wanted/*.eml"),
      ),
    async () => (await acts()).learn,
  );
  onStore(
    spam
      .command("stats <address>")
      .description("show how much an account's filter was taught, and how its own mail scored")
      .addHelpText("after", examples("spam stats ann@example.org")),
    async () => (await acts()).stats,
  );
  onStore(
    spam
      .command("forget <address>")
      .description("forget all that an account's filter was taught")
      .addHelpText("after", examples("spam forget ann@example.org")),
    async () => (await acts()).forget,
  );
}
