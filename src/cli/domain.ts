import { dnsRecords, stsRecords, tlsReportRecord, zoneLine } from "../admin/dns-records.ts";
import {
  ensureDomain,
  keysOf,
  listDomains,
  mtaStsOf,
  removableDomain,
  removeDomain,
  setMtaSts,
  showDomain,
} from "../admin/domains.ts";
import type { Domain } from "../store/directory/directory.ts";
import type { DkimKeyRow } from "../store/directory/dkim-keys.ts";
import { type OwnStsPolicy, type StsMode, stsText } from "../store/directory/mta-sts.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { answer, confirm, say } from "./prompt.ts";

export async function add(context: Context, text: string): Promise<void> {
  const { admin, config } = context;
  const { domain, isNew } = await ensureDomain(admin, text);
  const { name } = domain;
  const keys = await keysOf(admin, name);
  const head = isNew
    ? `Added the domain ${name}. Publish in its DNS:`
    : `The domain ${name} exists already. Its DNS records:`;
  const value = { domain: name, isNew, records: dnsRecords(domain, config.hostname, keys) };
  answer(context, value, `${head}\n\n${zone(domain, config.hostname, keys)}`);
}

export async function list({ admin, config, options }: Context): Promise<void> {
  const domains = await listDomains(admin);
  const keys = Map.groupBy(await keysOf(admin), ({ domain }) => domain);
  if (options.json) {
    const rows = domains.map((domain) => ({
      domain: domain.name,
      records: dnsRecords(domain, config.hostname, keys.get(domain.name)),
    }));
    return say(JSON.stringify(rows, null, 2));
  }
  if (domains.length === 0) return say("There are no domains yet. Add one: posthorn domain add example.org");
  const texts = domains.map(
    (domain) => `; ${domain.name}\n${zone(domain, config.hostname, keys.get(domain.name) ?? [])}`,
  );
  say(texts.join("\n\n"));
}

export async function show({ admin, config: { hostname }, options }: Context, text: string): Promise<void> {
  const domain = await showDomain(admin, text);
  const { name } = domain;
  const keys = await keysOf(admin, name);
  const policy = await mtaStsOf(admin, name);
  const suggested = [tlsReportRecord(domain)];
  const ofPolicy = policy ? stsRecords(domain, hostname, policy) : [];
  if (options.json) {
    const records = [...dnsRecords(domain, hostname, keys), ...ofPolicy];
    return say(JSON.stringify({ records, suggested, mtaSts: policy ?? null }, null, 2));
  }
  say(zone(domain, hostname, keys));
  say("\n; Suggested: so that other servers tell when TLS to this one fails");
  say(suggested.map(zoneLine).join("\n"));
  if (policy) return sayPolicy(name, hostname, policy);
  say(`\n; So that other servers verify TLS to this one (MTA-STS): posthorn domain mta-sts ${name} --mode testing`);
}

const off = "off";

/** RFC 8461: publishes the domain's policy. */
export async function mtaSts({ admin, config: { hostname }, options }: Context, text: string): Promise<void> {
  const { mode, mx = [hostname], json } = options as { mode: StsMode | typeof off; mx?: string[]; json?: boolean };
  const policy = mode === off ? undefined : { mode, mx };
  const { name } = await setMtaSts(admin, text, policy);
  if (json) {
    const records = policy ? stsRecords({ name }, hostname, policy) : [];
    return say(JSON.stringify({ domain: name, mtaSts: policy ?? null, records }, null, 2));
  }
  if (policy) return sayPolicy(name, hostname, policy);
  say(`${name} has no policy here any more. Remove _mta-sts.${name} and mta-sts.${name} from its DNS.`);
}

function sayPolicy(name: string, hostname: string, policy: OwnStsPolicy): void {
  say(
    `\n; Publish these once https://mta-sts.${name}/.well-known/mta-sts.txt shows the policy below, with a valid certificate:`,
  );
  say(stsRecords({ name }, hostname, policy).map(zoneLine).join("\n"));
  say(stsText(policy).replaceAll("\r\n", "\n").trimEnd().replaceAll(/^/gm, ";   "));
}

export async function remove(context: Context, text: string): Promise<void> {
  const { admin, options } = context;
  const { name } = await removableDomain(admin, text);
  if (!options.yes && !(await confirm(`Remove the domain ${name} and its DKIM key?`))) {
    throw new Failure("nothing was removed");
  }
  await removeDomain(admin, name);
  answer(context, { domain: name }, `Removed the domain ${name}: mail for it is refused.`);
}

function zone(domain: Domain, hostname: string, keys: readonly DkimKeyRow[]): string {
  const records = dnsRecords(domain, hostname, keys).map(zoneLine);
  const note = `; Other servers cannot find "${hostname}": give this machine's full name, as in --hostname mail.example.org`;
  return (hostname.includes(".") ? records : [note, ...records]).join("\n");
}
