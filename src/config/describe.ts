import { eachHost } from "../base/database-url.ts";
import { fileOption, type Loaded, type Source } from "./load.ts";
import { type OptionName, schema } from "./schema.ts";
import { parseUrl } from "./values.ts";

/** One line of `posthorn config`. */
export interface Description {
  name: OptionName | "config";
  value: string;
  source: Source;
  env: string;
  flag: string;
  help: string;
}

/** The configuration in force, with passwords masked. */
export function describe({ config, sources, file }: Loaded): Description[] {
  const options = (Object.keys(schema) as OptionName[]).map((name) => {
    const { env, flag, help, secret, show } = schema[name];
    const value = show(config[name]);
    return { name, value: secret ? mask(value) : value, source: sources[name], env, flag, help };
  });
  return [...options, { name: "config", value: file.path, source: file.source, ...fileOption }];
}

/** Keeps scheme, host and path, which help to find a mistake. Hides user name, password and query. */
function mask(value: string): string {
  const urls = eachHost(value).map(parseUrl);
  const [first] = urls;
  if (!first || urls.includes(null)) return value === "" ? "" : "***";
  const login = /^[^/]*\/\/[^/?#]*@/.test(value) ? "***@" : "";
  const hosts = urls.map((url) => url?.host).join(",");
  return `${first.protocol}//${login}${hosts}${first.pathname}${first.search ? "?***" : ""}`;
}
