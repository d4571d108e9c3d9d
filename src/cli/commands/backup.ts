import { type Command, Option } from "commander";
import { moment, whole } from "../arguments.ts";
import { examples } from "../command.ts";
import { addConfigOptions } from "../options.ts";

const placeHelp = "the folder of the backup, or s3://bucket/prefix at the service of the --s3 options";
const keyHelp = "the file with the key";
const dryRunHelp = "only say what it would do";

export function addBackupCommands(program: Command): void {
  // Or options after "backup list" would be taken for those of "backup".
  program.enablePositionalOptions();
  const backup = acting(
    program
      .command("backup")
      .description(
        "back up all mail, accounts and settings while servers run: once whole, then what is new; run it again after an interruption",
      )
      .enablePositionalOptions()
      .option("--to <place>", placeHelp)
      .option("--key <file>", keyHelp)
      .option("--full", "the whole database again, not only its log")
      .option(
        "--only-bodies",
        "only message bodies, where the database of --database-url is backed up by its own tools",
      )
      .option("--verify", "read back what was backed up")
      .option("--dry-run", dryRunHelp)
      .option("--new-key <file>", "make a key file, and do nothing else")
      .addHelpText(
        "after",
        examples("backup --new-key /root/backup.key", "backup --to /mnt/backup --key /root/backup.key --verify"),
      ),
    "backup",
  );
  const below = (name: string, description: string) =>
    backup
      .command(name)
      .description(description)
      .requiredOption("--from <place>", placeHelp)
      .requiredOption("--key <file>", keyHelp);
  acting(
    below("list", "list the backups, and the moments to which they lead").addHelpText(
      "after",
      examples("backup list --from /mnt/backup --key /root/backup.key"),
    ),
    "list",
  );
  acting(
    below("verify", "read all backups: exit code 1 if a file is missing or not as it was written").addHelpText(
      "after",
      examples("backup verify --from /mnt/backup --key /root/backup.key"),
    ),
    "verify",
  );
  acting(
    below("prune", "remove backups that only older moments need, and bodies that no other backup has")
      .addOption(
        new Option("--keep-days <number>", "how many days back every moment stays within reach")
          .argParser(whole)
          .makeOptionMandatory(),
      )
      .option("--dry-run", dryRunHelp)
      .addHelpText("after", examples("backup prune --from /mnt/backup --key /root/backup.key --keep-days 30")),
    "prune",
  );
}

export function addRestoreCommand(program: Command): void {
  acting(
    program
      .command("restore")
      .description(
        "restore a backup to a data folder without a database, or with --database-url the message bodies beside one that was restored; run it again after an interruption",
      )
      .requiredOption("--from <place>", placeHelp)
      .requiredOption("--key <file>", keyHelp)
      .option("--to <time>", "the moment, such as 2026-12-01T09:30:00Z (default: the newest)", moment)
      .option(
        "--account <address>",
        "only this account, beside the server: adds to it what it had at the moment and lacks now",
      )
      .option("--into <address>", "another account, which gets what --account had")
      .option("--skip-damaged", "leave out bodies that are damaged in the backup, and name them at the end")
      .option("--dry-run", dryRunHelp)
      .addHelpText(
        "after",
        examples(
          "restore --from /mnt/backup --key /root/backup.key --data /var/lib/posthorn",
          "restore --from /mnt/backup --key /root/backup.key --to 2026-12-01T09:30:00Z",
          "restore --from /mnt/backup --key /root/backup.key --account ann@example.org",
        ),
      ),
    "restore",
  );
}

function acting(command: Command, act: "backup" | "list" | "verify" | "prune" | "restore"): Command {
  return addConfigOptions(command.option("--json", "print JSON")).action(async () => {
    const acts = act === "restore" ? await import("../restore.ts") : await import("../backup.ts");
    await (acts as Record<typeof act, (command: Command) => Promise<void>>)[act](command);
  });
}
