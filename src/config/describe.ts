import type { Sources } from "./load.ts";
import { type Config, type OptionName, schema } from "./schema.ts";

/** One line of `posthorn config`. */
export interface Description {
  name: OptionName;
  value: string;
  source: Sources[OptionName];
  env: string;
  flag: string;
  help: string;
}

/** The configuration in force, fit to be shown: passwords are masked. */
export function describe(config: Config, sources: Sources): Description[] {
  return (Object.keys(schema) as OptionName[]).map((name) => {
    const { env, flag, help, secret, show } = schema[name];
    const value = show(config[name]);
    return { name, value: secret ? mask(value) : value, source: sources[name], env, flag, help };
  });
}

/** Host and scheme help to find a mistake; a name or password, or what may hold one, is not shown. */
function mask(value: string): string {
  const parsed = URL.parse(value);
  if (!parsed) return value === "" ? "" : "***";
  const login = parsed.username || parsed.password ? "***@" : "";
  return `${parsed.protocol}//${login}${parsed.host}${parsed.pathname}${parsed.search ? "?***" : ""}`;
}
