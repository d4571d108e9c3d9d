import type { Command } from "commander";
import { type Context, examples, onStore } from "../command.ts";
import { answer, say } from "../prompt.ts";

export function addMigrateCommand(program: Command): void {
  const command = program
    .command("migrate")
    .description("apply the migrations that the database lacks (serve does so at its start)")
    .addHelpText("after", examples("migrate --database-url postgres://posthorn@db.example/posthorn"));
  // Opening the store applies the migrations, for every command.
  const applied: string[] = [];
  const act = async () => async (context: Context) => answer(context, { applied }, "The database is up to date.");
  onStore(command, act, {
    begins: true,
    migrating: (name) => {
      applied.push(name);
      if (!command.opts().json) say(`Applying ${name}`);
    },
  });
}
