import type { Command } from "commander";
import { examples, onStore } from "./command.ts";
import { say } from "./prompt.ts";

export function addMigrateCommand(program: Command): void {
  const command = program
    .command("migrate")
    .description("bring the database's tables up to date (serve does it by itself)")
    .addHelpText("after", examples("migrate --database-url postgres://posthorn@db.example/posthorn"));
  // Every command on the store migrates first.
  onStore(command, async () => say("The database is up to date."), {
    begins: true,
    migrating: (name) => say(`Applying ${name}`),
  });
}
