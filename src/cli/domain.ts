import type { Command } from "commander";
import { dnsRecords } from "../admin/dns-records.ts";
import { ensureDomain, listDomains, removableDomain, removeDomain } from "../admin/domains.ts";
import type { Domain } from "../store/directory/directory.ts";
import { type Context, examples, onStore } from "./command.ts";
import { Failure } from "./fail.ts";
import { confirm, say } from "./prompt.ts";

export function addDomainCommands(program: Command): void {
  const domain = program.command("domain").description("domains that this server takes mail for");
  onStore(
    domain
      .command("add <domain>")
      .description("take mail for a domain: creates its DKIM key and prints the DNS records to publish")
      .addHelpText("after", examples("domain add example.org --hostname mail.example.org")),
    add,
    { begins: true },
  );
  onStore(
    domain
      .command("list")
      .description("list all domains and the DNS records to publish for them")
      .addHelpText("after", examples("domain list")),
    list,
  );
  onStore(
    domain
      .command("remove <domain>")
      .description("remove a domain that has no addresses, with its DKIM key: mail for it is refused from now on")
      .option("--yes", "do not ask for confirmation")
      .addHelpText("after", examples("domain remove example.org --yes")),
    remove,
  );
}

async function add({ admin, config }: Context, text: string): Promise<void> {
  const { domain, isNew } = await ensureDomain(admin, text);
  const { name } = domain;
  say(
    isNew ? `Added the domain ${name}. Publish in its DNS:\n` : `The domain ${name} exists already. Its DNS records:\n`,
  );
  say(zone(domain, config.hostname));
}

async function list({ admin, config }: Context): Promise<void> {
  const domains = await listDomains(admin);
  if (domains.length === 0) return say("There are no domains yet. Add one: posthorn domain add example.org");
  say(domains.map((domain) => `; ${domain.name}\n${zone(domain, config.hostname)}`).join("\n\n"));
}

async function remove({ admin, options }: Context, text: string): Promise<void> {
  const { name } = await removableDomain(admin, text);
  if (!options.yes && !(await confirm(`Remove the domain ${name} and its DKIM key?`))) {
    throw new Failure("nothing was removed");
  }
  await removeDomain(admin, name);
  say(`Removed the domain ${name}: mail for it is refused.`);
}

function zone(domain: Domain, hostname: string): string {
  const records = dnsRecords(domain, hostname).map(({ name, type, value }) => `${name} 3600 IN ${type} ${value}`);
  const note = `; Other servers cannot find "${hostname}": give this machine's full name, as in --hostname mail.example.org`;
  return (hostname.includes(".") ? records : [note, ...records]).join("\n");
}
