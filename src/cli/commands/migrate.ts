import type { Command } from "commander";
import { examples, onStore } from "../command.ts";
import { say } from "../prompt.ts";

export function addMigrateCommand(program: Command): void {
  const command = program
    .command("migrate")
    .description("apply the migrations that the database lacks (serve does so at its start)")
    .addHelpText("after", examples("migrate --database-url postgres://posthorn@db.example/posthorn"));
  // Opening the store applies the migrations, for every command.
  onStore(command, async () => async () => say("The database is up to date."), {
    begins: true,
    migrating: (name) => say(`Applying ${name}`),
  });
}
