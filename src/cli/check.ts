import { type Checked, isWhole } from "../admin/domain-check/checked.ts";
import { type CheckedDomain, checkDomain, checkReach } from "../admin/domain-check.ts";
import { keysOf, listDomains, mtaStsOf, showDomain } from "../admin/domains.ts";
import type { Context } from "./command.ts";
import { Failure } from "./fail.ts";
import { paint, type Style } from "./paint.ts";
import { withProgress } from "./progress.ts";
import { say } from "./prompt.ts";
import { resolverOf } from "./resolver.ts";
import { doorsOf, siteOf } from "./site.ts";

export interface CheckOptions {
  ip: string[];
  probe: string;
  blocklists: string[];
  dnsOnly?: true;
  json?: true;
}

/** Looks at one domain, or at all, and at the server; the exit code is 1 if something that is needed is amiss. */
export async function check(context: Context, text?: string): Promise<void> {
  const { admin, options } = context;
  const given = options as unknown as CheckOptions;
  const domains = text === undefined ? await listDomains(admin) : [await showDomain(admin, text)];
  if (domains.length === 0) throw new Failure("there are no domains yet: posthorn setup makes one");
  const server = withProgress(async (tell) => {
    tell("Trying the server's doors");
    return given.dnsOnly ? [] : await checkServer(context, given);
  });
  const checked = await Promise.all(
    domains.map(async (domain) => {
      const [keys, sts] = await Promise.all([keysOf(admin, domain.name), mtaStsOf(admin, domain.name)]);
      return { domain: domain.name, checks: await checkNames(context, { domain, keys, sts }, given.ip) };
    }),
  );
  const report = { domains: checked, server: await server };
  const all = [...checked.flatMap(({ checks }) => checks), ...report.server];
  if (!isWhole(all)) process.exitCode = 1;
  if (given.json) return say(JSON.stringify({ isWhole: isWhole(all), ...report }, null, 2));
  for (const { domain, checks } of checked) say(`${paint("strong", domain)}\n${tell(checks)}\n`);
  if (report.server.length > 0) say(`${paint("strong", "this server")}\n${tell(report.server)}\n`);
  say(summary(all));
}

export function checkNames(
  { config }: Pick<Context, "config">,
  about: CheckedDomain,
  ip: string[],
): Promise<Checked[]> {
  const { allowPrivateTargets } = config;
  return checkDomain(about, { resolver: resolverOf(config), site: siteOf(config, ip), allowPrivateTargets });
}

export async function checkServer(
  { config, admin }: Pick<Context, "config" | "admin">,
  { ip, blocklists, probe }: Pick<CheckOptions, "ip" | "blocklists" | "probe">,
): Promise<Checked[]> {
  const { allowPrivateTargets, smarthost, mxPort } = config;
  const site = siteOf(config, ip);
  return checkReach({
    ...{ resolver: resolverOf(config), site, allowPrivateTargets, blocklists },
    doors: doorsOf(config, site),
    outgoing: smarthost === "" ? { probe, port: mxPort } : undefined,
    now: admin.store.clock.now(),
  });
}

const looks: Record<Checked["state"], Style> = { right: "good", missing: "bad", wrong: "bad", unknown: "doubtful" };

/** One line for each check; below what is amiss, what stands there and how to mend it. */
export function tell(checks: readonly Checked[]): string {
  const width = Math.max(...checks.map(({ record }) => record.length));
  return checks
    .flatMap(({ state, needed, record, name, found, advice }) => {
      const style = state === "right" || needed ? looks[state] : "doubtful";
      const head = `  ${paint(style, state.padEnd(7))}  ${record.padEnd(width)}  ${name}`;
      if (advice === null) return [head];
      const indent = " ".repeat(11);
      return [
        head,
        ...found.map((one) => paint("faint", `${indent}found: ${one}`)),
        `${indent}${needed ? "" : "(not needed) "}${advice}`,
      ];
    })
    .join("\n");
}

export function summary(checks: readonly Checked[]): string {
  const amiss = checks.filter(({ state }) => state !== "right");
  const needed = amiss.filter((one) => one.needed).length;
  if (amiss.length === 0) return paint("good", "All is right.");
  if (needed === 0) return paint("good", `All that is needed is right; ${amiss.length} more would be good.`);
  return paint("bad", `${needed} of what is needed ${needed === 1 ? "is" : "are"} amiss.`);
}
