import { normalizeDomain, splitAddress } from "../../base/address.ts";
import type { Loaded } from "../../config/load.ts";
import { load } from "../../config/load.ts";
import { type OptionName, schema } from "../../config/schema.ts";
import { Failure } from "../fail.ts";
import { ask, confirm } from "../prompt.ts";

export interface SetupOptions {
  domain?: string;
  address?: string;
  name: string;
  passwordFile?: string;
  certificate?: "acme" | "self-signed";
  ip: string[];
  dnsUpdate?: { address: string; port: number };
  dnsKeyFile?: string;
  dnsHook?: string;
  replace?: true;
  zoneFile?: string;
  /** In milliseconds. */
  wait?: number;
  testTo?: string;
  probe: string;
  blocklists: string[];
  start: boolean;
  yes?: true;
  dryRun?: true;
  json?: true;
}

export interface Answers {
  domain: string;
  /** Undefined if no account is to be made. */
  address: string | undefined;
  /** The configuration that the server is to have. */
  loaded: Loaded;
  /** Options to be kept in the file, by their names. */
  kept: Partial<Record<OptionName, string>>;
}

type Given = Record<string, string>;

/** Takes the answers from the options, and asks for the others unless that is not wanted. */
export async function answersOf(options: SetupOptions, flags: Given, file: string | undefined): Promise<Answers> {
  const isAsking = !options.yes && !options.json && process.stdin.isTTY === true;
  const before = load(process.env, flags, file);
  const domain = normalizeDomain(await given(options.domain, isAsking && (() => ask("Domain of your mail addresses"))));
  if (domain === undefined || !domain.includes(".")) {
    throw new Failure("name the domain, such as: posthorn setup --domain example.org --address you@example.org --yes");
  }
  const address = await addressOf(options, domain, isAsking);
  const usual = before.sources.hostname === "default" ? `mail.${domain}` : before.config.hostname;
  const hostname = isAsking ? await ask("Name of this mail server in DNS", usual) : usual;
  const chosen = choose(before, hostname, await certificateOf(options, before, isAsking));
  const all = { ...chosen, ...flags };
  const kept: Answers["kept"] = {};
  for (const name of Object.keys(schema) as OptionName[]) {
    const value = all[schema[name].flag];
    if (value !== undefined && name !== "data") kept[name] = value;
  }
  return { domain, address, loaded: load(process.env, all, file), kept };
}

const given = async (option: string | undefined, askFor: false | (() => Promise<string>)) =>
  option ?? (askFor ? await askFor() : "");

async function addressOf(options: SetupOptions, domain: string, isAsking: boolean): Promise<string | undefined> {
  const text = await given(
    options.address,
    isAsking && (() => ask("Address of the first account", `postmaster@${domain}`)),
  );
  if (text === "") return undefined;
  const address = splitAddress(text.includes("@") ? text : `${text}@${domain}`);
  if (!address) throw new Failure(`"${text}" is not an email address`);
  if (address.domain !== domain) throw new Failure(`${text} is not an address in ${domain}: give one with --address`);
  return `${address.local.toLowerCase()}@${address.domain}`;
}

async function certificateOf(options: SetupOptions, { config, sources }: Loaded, isAsking: boolean) {
  if (options.certificate) return options.certificate;
  if (config.tlsCert !== "" || sources.acme !== "default") return undefined;
  if (!isAsking) return "self-signed";
  const question = "Get a certificate from Let's Encrypt? This agrees to its terms of service.";
  return (await confirm(question)) ? "acme" : "self-signed";
}

/** What the server needs to be reached from outside, by flag; what the operator has set already stays. */
function choose({ sources }: Loaded, hostname: string, certificate: SetupOptions["certificate"]): Given {
  const wanted: Partial<Record<OptionName, string>> = {
    hostname,
    smtp: "0.0.0.0:25",
    submissions: "0.0.0.0:465",
    submission: "0.0.0.0:587",
    https: "0.0.0.0:443",
    httpRedirect: "0.0.0.0:80",
    publicUrl: `https://${hostname}`,
    demo: "false",
    ...(certificate === "acme" && { acme: hostname }),
  };
  const open = Object.entries(wanted).filter(([name]) => sources[name as OptionName] === "default");
  return Object.fromEntries(open.map(([name, value]) => [schema[name as OptionName].flag, value]));
}
