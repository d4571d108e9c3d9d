import { Argument, type Command } from "commander";
import { examples } from "../command.ts";
import { say } from "../prompt.ts";

/** `makeWhole` makes all commands, with their options. */
export function addCompletionCommand(program: Command, makeWhole: () => Command): void {
  program
    .command("completion")
    .addArgument(new Argument("<shell>", "whose script to print").choices(["bash", "zsh", "fish"]))
    .description("print the script that lets a shell complete the commands and their options")
    .addHelpText(
      "after",
      `
Load it where the shell starts:
  bash   source <(posthorn completion bash)      in ~/.bashrc
  zsh    source <(posthorn completion zsh)       in ~/.zshrc, after compinit
  fish   posthorn completion fish | source       in ~/.config/fish/config.fish
${examples("completion bash > /etc/bash_completion.d/posthorn")}`,
    )
    .action(async (shell: "bash" | "zsh" | "fish") => {
      const [{ tableOf }, { completions }] = await Promise.all([
        import("../command-table.ts"),
        import("../completion.ts"),
      ]);
      say(completions[shell](tableOf(makeWhole())));
    });
}
