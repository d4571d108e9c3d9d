import type { Command } from "commander";
import { examples, onStore } from "../command.ts";

export function addImportCommand(program: Command): void {
  const command = program
    .command("import <account> <source>")
    .description(
      "put mail from elsewhere into an account, from files or another server; run again, it goes on, or brings what changed there since",
    )
    .requiredOption(
      "--from <format>",
      "archive (what posthorn export wrote, a folder or a .tar), mbox, maildir, eml, takeout, jmap or imap",
    )
    .option("--into <mailbox>", "the mailbox that all is put into or below, such as Old/2019; not of an archive")
    .option("--dialect <name>", "of mbox: mboxo, mboxrd, mboxcl or mboxcl2, if the files do not tell by themselves")
    .option("--user <name>", "at the other server")
    .option(
      "--password-file <path>",
      "a file with the password there in its first line; without it, the terminal is asked",
    )
    .option("--token-file <path>", "with jmap: a file with a bearer token instead of a name and password")
    .option("--dry-run", "only read it, and say what it has")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        "import ann@example.org /backup/ann --from archive",
        "import ann@example.org Archive.mbox --from mbox --into Old",
        "import ann@example.org /home/ann/Maildir --from maildir --dry-run",
        "import ann@example.org imaps://mail.old.example --from imap --user ann --password-file secret",
        "import ann@example.org https://mail.old.example --from jmap --user ann@old.example",
      ),
    );
  onStore(command, async () => {
    if (command.opts<{ from: string }>().from === "archive") return (await import("../import-archive.ts")).importFrom;
    return (await import("../import.ts")).importMailFrom;
  });
}
