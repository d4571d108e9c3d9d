import type { Command } from "commander";
import { examples, onStore } from "../command.ts";

const acts = () => import("../token.ts");

export function addTokenCommands(program: Command): void {
  const token = program.command("token").description("bearer tokens and app passwords, revocable one by one");
  onStore(
    token
      .command("add <account>")
      .description("add a credential, and print it once")
      .option("--app-password", "add a password for a mail program instead of a bearer token")
      .option("--label <text>", "what it is for", "")
      .option("--days <number>", "lifetime of a token (default: no end)")
      .addHelpText(
        "after",
        examples("token add ann@example.org --label backup --days 90", "token add ann@example.org --app-password"),
      ),
    async () => (await acts()).add,
  );
  onStore(
    token
      .command("list <account>")
      .description("list an account's tokens and app passwords")
      .addHelpText("after", examples("token list ann@example.org")),
    async () => (await acts()).list,
  );
  onStore(
    token
      .command("revoke <account> <id>")
      .description("revoke a credential, with immediate effect")
      .addHelpText("after", examples("token revoke ann@example.org k3m9x2ab")),
    async () => (await acts()).revoke,
  );
}
