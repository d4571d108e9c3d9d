import type { Command } from "commander";
import { describe } from "../../config/describe.ts";
import { examples } from "../command.ts";
import { addConfigOptions, configOf } from "../options.ts";
import { say } from "../prompt.ts";

export function addConfigCommand(program: Command): void {
  const command = program
    .command("config")
    .description("print every option with its value, the source of that value, and its help")
    .option("--json", "print JSON")
    .addHelpText("after", examples("config", "config --http 0.0.0.0:8080 --json"));
  addConfigOptions(command, { all: true }).action(() => {
    const lines = describe(configOf(command));
    if (command.opts().json) return say(JSON.stringify(lines, null, 2));
    for (const { name, value, source, env, flag, help } of lines) {
      say(`${name} = ${value}   [${source}]\n    --${flag}, ${env}\n    ${help}`);
    }
  });
}
