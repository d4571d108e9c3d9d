import type { Command } from "commander";
import { examples, onStore } from "../command.ts";

const acts = () => import("../domain.ts");

export function addDomainCommands(program: Command): void {
  const domain = program.command("domain").description("domains that this server takes mail for");
  onStore(
    domain
      .command("add <domain>")
      .description("take mail for a domain: creates its DKIM key and prints the DNS records to publish")
      .addHelpText("after", examples("domain add example.org --hostname mail.example.org")),
    async () => (await acts()).add,
    { begins: true },
  );
  onStore(
    domain
      .command("list")
      .description("list all domains and the DNS records to publish for them")
      .addHelpText("after", examples("domain list")),
    async () => (await acts()).list,
  );
  onStore(
    domain
      .command("remove <domain>")
      .description("remove a domain that has no addresses, with its DKIM key: mail for it is refused from now on")
      .option("--yes", "do not ask for confirmation")
      .addHelpText("after", examples("domain remove example.org --yes")),
    async () => (await acts()).remove,
  );
}
