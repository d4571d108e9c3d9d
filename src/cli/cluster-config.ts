import type { Checked } from "../admin/cluster-check.ts";
import { eachHost } from "../base/database-url.ts";
import type { Loaded } from "../config/load.ts";
import { type OptionName, schema } from "../config/schema.ts";
import { parseUrl } from "../config/values.ts";

/** What is unsafe in how this command was told to reach the database and other services. */
export function configWarnings({ config, sources }: Loaded, env: NodeJS.ProcessEnv): Checked[] {
  const warning = (problem: string): Checked => ({ server: null, isFault: false, problem });
  const found: Checked[] = [];
  if (eachHost(config.databaseUrl).some(isUnverified))
    found.push(
      warning("DATABASE_URL lacks sslmode=verify-full: what answers there may be another server, and others may read"),
    );
  for (const name of Object.keys(schema) as OptionName[]) {
    const { secret, env: variable, flag, show } = schema[name];
    const isFlag = sources[name] === "flag";
    const isOpen = isFlag || (sources[name] === "env" && env[variable] !== undefined);
    if (!secret || !isOpen || !isSecret(show(config[name] as never))) continue;
    const given = isFlag ? `--${flag}` : variable;
    found.push(warning(`${given} shows a secret: put it into a file that ${variable}_FILE names, or a credential`));
  }
  return found;
}

/** Over a socket and to this machine nobody else listens. */
function isUnverified(url: string): boolean {
  const parsed = parseUrl(url);
  if (url === "" || parsed === null || parsed.searchParams.get("host")?.startsWith("/")) return false;
  const isHere = /^(|localhost|127\.[\d.]+|\[::1\])$/.test(parsed.hostname);
  return !isHere && parsed.searchParams.get("sslmode") !== "verify-full";
}

/** A URL holds one if it has a password; other options that may be secret always do. */
function isSecret(text: string): boolean {
  return text.includes("://") ? /:\/\/[^/?#@]*:[^/?#@]+@/.test(text) : text !== "";
}
