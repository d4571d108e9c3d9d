import type { Command } from "commander";
import { examples, onStore } from "../command.ts";

const acts = () => import("../oauth-client.ts");

export function addOauthClientCommands(program: Command): void {
  const client = program
    .command("oauth-client")
    .description(
      "programs for browsers that may ask people for access to their mail (OAuth); others register themselves",
    );
  onStore(
    client
      .command("add <name>")
      .description("register a program, and print its client_id; people are shown the name")
      .requiredOption("--redirect <uri...>", "where it is answered, letter by letter: https://…")
      .option("--json", "print JSON")
      .addHelpText(
        "after",
        examples("oauth-client add 'Team webmail' --redirect https://webmail.example.org/callback"),
      ),
    async () => (await acts()).add,
  );
  onStore(
    client
      .command("list")
      .description("list the programs that are registered")
      .option("--json", "print JSON")
      .addHelpText("after", examples("oauth-client list")),
    async () => (await acts()).list,
  );
  onStore(
    client
      .command("remove <id>")
      .description("let a program get no more tokens")
      .option("--dry-run", "only say which")
      .option("--json", "print JSON")
      .addHelpText("after", examples("oauth-client remove posthorn-4fjk2m7p")),
    async () => (await acts()).remove,
  );
}
