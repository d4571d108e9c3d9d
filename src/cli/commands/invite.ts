import type { Command } from "commander";
import { whole } from "../arguments.ts";
import { examples, onStore } from "../command.ts";

const acts = () => import("../invite.ts");

export function addInviteCommands(program: Command): void {
  const invite = onStore(
    program
      .command("invite")
      .description("print a link with which one person makes an account, with a password of their own")
      // Or options after "list" would be taken for its own.
      .enablePositionalOptions()
      .option("--domain <domain>", "where the account will be (default: the only domain)")
      .option("--address <address>", "the address that it will have (default: the guest chooses)")
      .option("--days <number>", "how long the link works", whole, 7)
      .option("--json", "print JSON")
      .addHelpText(
        "after",
        examples("invite", "invite --domain example.org --days 2", "invite --address ann@example.org"),
      ),
    async () => (await acts()).invite,
  );
  onStore(
    invite
      .command("list")
      .description("list the invitations that can still be used")
      .option("--json", "print JSON")
      .addHelpText("after", examples("invite list")),
    async () => (await acts()).list,
  );
  onStore(
    invite
      .command("revoke <id>")
      .description("make an invitation useless")
      .addHelpText("after", examples("invite revoke k3m9x2")),
    async () => (await acts()).revoke,
  );
}
