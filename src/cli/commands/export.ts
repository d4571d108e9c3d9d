import type { Command } from "commander";
import { examples, runOnStore } from "../command.ts";
import { addConfigOptions } from "../options.ts";

export function addExportCommand(program: Command): void {
  const command = program
    .command("export")
    .description("write all of an account to files that need no Posthorn to be read; run again, it goes on")
    .argument("[account]", "its main address")
    .option("--to <place>", "a folder, a file with a name that ends in .tar, or with jmap another server")
    .option("--format <name>", "archive, mbox, maildir or jmap", "archive")
    .option("--user <name>", "with jmap: at the other server")
    .option(
      "--password-file <path>",
      "a file with the password there in its first line; without it, the terminal is asked",
    )
    .option("--token-file <path>", "a file with a bearer token instead of a name and password")
    .option("--dry-run", "only say how much that is")
    .option("--verify <archive>", "read an archive back, and compare it with its checksums")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        "export ann@example.org --to /backup/ann",
        "export ann@example.org --to ann.tar",
        "export --verify /backup/ann",
        "export ann@example.org --to /backup/ann-mail --format maildir",
        "export ann@example.org --to https://mail.new.example --format jmap --user ann@new.example",
      ),
    );
  addConfigOptions(command).action(async () => {
    const acts = await import("../export.ts");
    if (command.opts().verify !== undefined) return acts.verify(command.opts());
    await runOnStore(command, async () => acts.exportAccount);
  });
}
