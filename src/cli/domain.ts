import { dnsRecords, tlsSuggestions, zoneLine } from "../admin/dns-records.ts";
import { ensureDomain, keysOf, listDomains, removableDomain, removeDomain, showDomain } from "../admin/domains.ts";
import type { Domain } from "../store/directory/directory.ts";
import type { DkimKeyRow } from "../store/directory/dkim-keys.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { confirm, say } from "./prompt.ts";

export async function add({ admin, config }: Context, text: string): Promise<void> {
  const { domain, isNew } = await ensureDomain(admin, text);
  const { name } = domain;
  say(
    isNew ? `Added the domain ${name}. Publish in its DNS:\n` : `The domain ${name} exists already. Its DNS records:\n`,
  );
  say(zone(domain, config.hostname, await keysOf(admin, name)));
}

export async function list({ admin, config }: Context): Promise<void> {
  const domains = await listDomains(admin);
  if (domains.length === 0) return say("There are no domains yet. Add one: posthorn domain add example.org");
  const keys = Map.groupBy(await keysOf(admin), ({ domain }) => domain);
  const texts = domains.map(
    (domain) => `; ${domain.name}\n${zone(domain, config.hostname, keys.get(domain.name) ?? [])}`,
  );
  say(texts.join("\n\n"));
}

export async function show({ admin, config: { hostname }, options }: Context, text: string): Promise<void> {
  const domain = await showDomain(admin, text);
  const keys = await keysOf(admin, domain.name);
  const suggested = tlsSuggestions(domain, hostname);
  if (options.json) {
    return say(JSON.stringify({ records: dnsRecords(domain, hostname, keys), suggested }, null, 2));
  }
  say(zone(domain, hostname, keys));
  say("\n; Suggested: so that other servers tell when TLS to this one fails, and verify it (MTA-STS)");
  say(suggested.records.map(zoneLine).join("\n"));
  const policy = suggested.policy.trimEnd().replaceAll(/^/gm, ";   ");
  say(`; ${suggested.url} must then be (enforce instead of testing once reports show no failures):\n${policy}`);
}

export async function remove({ admin, options }: Context, text: string): Promise<void> {
  const { name } = await removableDomain(admin, text);
  if (!options.yes && !(await confirm(`Remove the domain ${name} and its DKIM key?`))) {
    throw new Failure("nothing was removed");
  }
  await removeDomain(admin, name);
  say(`Removed the domain ${name}: mail for it is refused.`);
}

function zone(domain: Domain, hostname: string, keys: readonly DkimKeyRow[]): string {
  const records = dnsRecords(domain, hostname, keys).map(zoneLine);
  const note = `; Other servers cannot find "${hostname}": give this machine's full name, as in --hostname mail.example.org`;
  return (hostname.includes(".") ? records : [note, ...records]).join("\n");
}
