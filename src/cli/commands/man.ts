import type { Command } from "commander";
import { examples } from "../command.ts";
import { say } from "../prompt.ts";

/** `makeWhole` makes all commands, with their options. */
export function addManCommand(program: Command, makeWhole: () => Command): void {
  program
    .command("man")
    .description("print the manual page of all commands and options, as man reads it")
    .addHelpText("after", examples("man | man -l -", "man > /usr/local/share/man/man1/posthorn.1"))
    .action(async () => {
      const [{ tableOf }, { manPage }] = await Promise.all([import("../command-table.ts"), import("../man.ts")]);
      say(manPage(tableOf(makeWhole())).trimEnd());
    });
}
