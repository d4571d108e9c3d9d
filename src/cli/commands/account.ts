import type { Command } from "commander";
import { examples, onStore } from "../command.ts";

const acts = () => import("../account.ts");

const passwordHelp = "read the password from the first line of standard input";

export function addAccountCommands(program: Command): void {
  const account = program.command("account").description("accounts: each has one mailbox tree and one login");
  onStore(
    account
      .command("add <address>")
      .description("add an account, and its domain if that is new")
      .option("--name <text>", "display name, also in the From field of its mail", "")
      .option("--password-stdin", passwordHelp)
      .addHelpText(
        "after",
        examples(
          'account add ann@example.org --name "Ann Lee"',
          "account add ann@example.org --password-stdin < password.txt",
        ),
      ),
    async () => (await acts()).add,
    { begins: true },
  );
  onStore(
    account.command("list").description("list all accounts").addHelpText("after", examples("account list")),
    async () => (await acts()).list,
  );
  onStore(
    account
      .command("name <address> <name>")
      .description('set an account\'s display name, also in the From field of its mail; "" for none')
      .addHelpText("after", examples('account name ann@example.org "Ann Lee"')),
    async () => (await acts()).rename,
  );
  onStore(
    account
      .command("passwd <address>")
      .description("set an account's password, and sign out its browsers")
      .option("--password-stdin", passwordHelp)
      .addHelpText("after", examples("account passwd ann@example.org")),
    async () => (await acts()).passwd,
  );
  onStore(
    account
      .command("second-factor <address>")
      .description("show an account's second factors, or remove them for somebody who has lost them all")
      .option("--reset", "remove them, with the recovery codes, and sign out all browsers")
      .option("--dry-run", "with --reset: only show what would be removed")
      .option("--yes", "do not ask for confirmation")
      .option("--json", "print JSON")
      .addHelpText(
        "after",
        examples("account second-factor ann@example.org", "account second-factor ann@example.org --reset"),
      ),
    async () => (await import("../second-factor.ts")).show,
  );
  onStore(
    account
      .command("quota <address> [size]")
      .description('show an account\'s used space and its limit, or set the limit: a size, or "none"')
      .addHelpText("after", examples("account quota ann@example.org", "account quota ann@example.org 5GB")),
    async () => (await acts()).quota,
  );
  onStore(
    account
      .command("remove <address>")
      .description("remove an account and all its mail")
      .option("--dry-run", "only show what would be removed")
      .option("--yes", "do not ask for confirmation")
      .addHelpText(
        "after",
        examples("account remove ann@example.org --dry-run", "account remove ann@example.org --yes"),
      ),
    async () => (await acts()).remove,
  );
  onStore(
    account
      .command("erase <address>")
      .description("erase an account, or one that was removed, with all that names it; it can't be had back")
      .option("--dry-run", "only show what would be erased")
      .option("--yes", "do not ask for confirmation")
      .option("--prove", "look everywhere afterwards, and show what is left and why")
      .addHelpText(
        "after",
        examples("account erase ann@example.org --dry-run", "account erase ann@example.org --yes --prove"),
      ),
    async () => (await import("../erase.ts")).erase,
  );
  onStore(
    account
      .command("share <address> <login>")
      .description("give another login access to an account")
      .option("--stop", "withdraw the access")
      .addHelpText("after", examples("account share office@example.org ann@example.org")),
    async () => (await acts()).openTo,
  );
}
