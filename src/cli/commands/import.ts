import type { Command } from "commander";
import { examples, onStore } from "../command.ts";

export function addImportCommand(program: Command): void {
  onStore(
    program
      .command("import <account> <source>")
      .description("put mail from elsewhere into an account; run again, it goes on")
      .requiredOption("--from <format>", "archive: what posthorn export wrote, a folder or a .tar")
      .option("--dry-run", "only read it, and say what it has")
      .option("--json", "print JSON")
      .addHelpText("after", examples("import ann@example.org /backup/ann --from archive")),
    async () => (await import("../import-archive.ts")).importFrom,
  );
}
