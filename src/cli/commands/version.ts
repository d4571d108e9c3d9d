import type { Command } from "commander";
import { about } from "../about.ts";
import { examples } from "../command.ts";
import { say } from "../prompt.ts";

export function addVersionCommand(program: Command): void {
  const command = program
    .command("version")
    .description("print the version, the commit it was built from if known, Node's version and the schema's number")
    .option("--json", "print JSON")
    .addHelpText("after", examples("version --json"));
  command.action(() => {
    const { text, ...rest } = about();
    say(command.opts().json ? JSON.stringify(rest, null, 2) : text);
  });
}

export function addVersionOption(program: Command): void {
  program.option("-V, --version", "print the version").on("option:version", () => {
    say(about().text);
    process.exit();
  });
}
