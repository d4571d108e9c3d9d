import { dnsRecords } from "../admin/dns-records.ts";
import { ensureDomain, listDomains, removableDomain, removeDomain } from "../admin/domains.ts";
import type { Domain } from "../store/directory/directory.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { confirm, say } from "./prompt.ts";

export async function add({ admin, config }: Context, text: string): Promise<void> {
  const { domain, isNew } = await ensureDomain(admin, text);
  const { name } = domain;
  say(
    isNew ? `Added the domain ${name}. Publish in its DNS:\n` : `The domain ${name} exists already. Its DNS records:\n`,
  );
  say(zone(domain, config.hostname));
}

export async function list({ admin, config }: Context): Promise<void> {
  const domains = await listDomains(admin);
  if (domains.length === 0) return say("There are no domains yet. Add one: posthorn domain add example.org");
  say(domains.map((domain) => `; ${domain.name}\n${zone(domain, config.hostname)}`).join("\n\n"));
}

export async function remove({ admin, options }: Context, text: string): Promise<void> {
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
