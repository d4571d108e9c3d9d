import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Config, type OptionName, schema } from "./schema.ts";
import { showBodiesPlace } from "./values.ts";

/** A credential is a file in the folder that systemd made for the service. */
export type Source = "default" | "file" | "credential" | "env" | "flag";
export type Sources = Record<OptionName, Source>;

/** Reports all problems of the configuration at once. */
export class ConfigError extends Error {
  override name = "ConfigError";
  readonly problems: string[];

  constructor(problems: string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** In the data folder, unless --config names another file. */
const fileName = "posthorn.json";
/** The option that names the file: the file itself cannot hold it. */
export const fileOption = {
  flag: "config",
  env: "POSTHORN_CONFIG",
  help: `JSON file of options. (Default: ${fileName} in the data folder)`,
};
const names = Object.keys(schema) as OptionName[];
const secrets = names.filter((name) => schema[name].secret);

/** The options that one source gives, as text. */
type Given = Partial<Record<OptionName, string>>;

export interface Loaded {
  config: Config;
  sources: Sources;
  /** The file of options, whether or not it exists. */
  file: { path: string; source: "default" | "env" | "flag" };
}

/**
 * Flags override the environment, which overrides credentials, which override the file, which overrides the defaults. A
 * secret may stand in a file that a variable names, such as DATABASE_URL_FILE. The file of options is given by `named`, the
 * flag `config` or POSTHORN_CONFIG, and must then exist; otherwise it is posthorn.json in the data folder, if that exists.
 */
export function load(env: NodeJS.ProcessEnv, flags: Record<string, string>, named?: string): Loaded {
  const problems: string[] = [];
  const fromFlags = readFlags(flags, problems);
  const fromEnv = readEnv(env, problems);
  const fromCredentials = readCredentials(env.CREDENTIALS_DIRECTORY, problems);
  const data = fromFlags.data ?? fromEnv.data ?? schema.data.default;
  const file = chooseFile(named ?? flags[fileOption.flag], env[fileOption.env], data);
  const fromFile = readFile(file.path, file.source !== "default", problems);
  // A file inside the data folder would point to another data folder.
  if (file.source === "default" && fromFile.data !== undefined)
    problems.push(`${file.path}: "data" is not allowed in this file`);

  const config: Record<string, unknown> = {};
  const sources: Record<string, Source> = {};
  const label = (name: OptionName) => nameIn(sources[name]!, name, file.path);
  for (const name of names) {
    const { value, source } = choose(name, {
      flag: fromFlags,
      env: fromEnv,
      credential: fromCredentials,
      file: fromFile,
    });
    sources[name] = source;
    try {
      config[name] = schema[name].parse(value);
    } catch (error) {
      problems.push(`${label(name)}: ${(error as Error).message}`);
    }
  }
  if (problems.length === 0) problems.push(...contradictions(config as Config, label));
  if (problems.length > 0) throw new ConfigError(problems);
  return { config: config as Config, sources: sources as Sources, file };
}

function chooseFile(flag: string | undefined, env: string | undefined, data: string): Loaded["file"] {
  if (flag !== undefined) return { path: flag, source: "flag" };
  if (env) return { path: env, source: "env" };
  return { path: join(data, fileName), source: "default" };
}

function choose(name: OptionName, given: Record<Exclude<Source, "default">, Given>) {
  for (const source of ["flag", "env", "credential", "file"] as const) {
    const value = given[source][name];
    if (value !== undefined) return { value: value.trim(), source };
  }
  return { value: schema[name].default, source: "default" as const };
}

/** The option as the user wrote it, with the file if it stands there. */
function nameIn(source: Source, name: OptionName, file: string): string {
  if (source === "flag") return `--${schema[name].flag}`;
  if (source === "env") return schema[name].env;
  if (source === "credential") return `credential ${credentialOf(name)}`;
  return source === "file" ? `${file}: "${name}"` : name;
}

function readFlags(flags: Record<string, string>, problems: string[]): Given {
  const given: Given = {};
  for (const [flag, value] of Object.entries(flags)) {
    const name = names.find((entry) => schema[entry].flag === flag);
    if (name) given[name] = value;
    else if (flag !== fileOption.flag) problems.push(`--${flag}: no such option${suggestion(flag, "flag")}`);
  }
  return given;
}

function readEnv(env: NodeJS.ProcessEnv, problems: string[]): Given {
  const given: Given = {};
  for (const [variable, value = ""] of Object.entries(env)) {
    const name = names.find((entry) => schema[entry].env === variable);
    const secret = secrets.find((entry) => `${schema[entry].env}_FILE` === variable);
    if (name) given[name] = value;
    else if (secret && env[schema[secret].env] !== undefined) {
      problems.push(`${variable}: ${schema[secret].env} is set too`);
    } else if (secret) given[secret] = readSecret(variable, value, problems);
    else if (variable.startsWith("POSTHORN_") && variable !== fileOption.env) {
      problems.push(`${variable}: no such option${suggestion(variable, "env")}`);
    }
  }
  return given;
}

const credentialOf = (name: OptionName) => `posthorn.${schema[name].flag}`;

/** Secrets that systemd passes to the service, such as "posthorn.database-url". */
function readCredentials(folder: string | undefined, problems: string[]): Given {
  const given: Given = {};
  if (!folder) return given;
  for (const name of secrets) {
    const path = join(folder, credentialOf(name));
    if (existsSync(path)) given[name] = readSecret(`credential ${credentialOf(name)}`, path, problems);
  }
  return given;
}

function readSecret(label: string, path: string, problems: string[]): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    problems.push(`${label}: ${path}: ${whyUnread(error)}`);
    return "";
  }
}

function whyUnread(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such file";
  return code === "EACCES" ? "this user may not read it" : message;
}

function readFile(path: string, required: boolean, problems: string[]): Given {
  if (!required && !existsSync(path)) return {};
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    problems.push(`${path}: ${whyUnread(error)}`);
    return {};
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    problems.push(`${path}: is not a JSON object`);
    return {};
  }
  const given: Given = {};
  for (const [key, value] of Object.entries(content)) {
    const name = names.find((entry) => entry === key);
    const written = asText(value);
    if (name === undefined) problems.push(`${path}: "${key}": no such option${suggestion(key, "name")}`);
    else if (written === undefined) problems.push(`${path}: "${key}": must be text, a number, true, false or a list`);
    else given[name] = written;
  }
  return given;
}

function asText(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.every((item) => typeof item === "string") ? value.join(",") : undefined;
  return ["string", "number", "boolean"].includes(typeof value) ? String(value) : undefined;
}

/** Suggests the option that differs in separators, case or at most two letters. */
function suggestion(wrong: string, kind: "name" | "flag" | "env"): string {
  const plain = (text: string) =>
    text
      .toLowerCase()
      .replace(/^posthorn_/, "")
      .replace(/[^a-z0-9]/g, "");
  const near = names
    .map((name) => ({ name, distance: editDistance(plain(name), plain(wrong)) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (near === undefined || near.distance > 2) return "";
  const { flag, env } = schema[near.name];
  return ` (did you mean ${{ name: near.name, flag: `--${flag}`, env }[kind]}?)`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function contradictions(config: Config, label: (name: OptionName) => string): string[] {
  const problems: string[] = [];
  if (config.data === "") problems.push(`${label("data")}: must not be empty`);
  if (config.tlsCert !== "" && config.tlsKey === "") problems.push(`${label("tlsCert")}: needs tlsKey too`);
  if (config.acme.length > 0 && !config.https && !config.httpRedirect)
    problems.push(`${label("acme")}: needs httpRedirect or https, where the authority can reach this server`);
  if (config.acme.length > 0 && config.tlsCert !== "")
    problems.push(`${label("acme")}: gets a certificate, but tlsCert names one`);
  if (config.tlsKey !== "" && config.tlsCert === "") problems.push(`${label("tlsKey")}: needs tlsCert too`);
  if (config.readOnly && config.databaseUrl === "") problems.push(`${label("readOnly")}: needs databaseUrl`);
  if (config.readOnly && config.roles.some((role) => role !== "http"))
    problems.push(`${label("readOnly")}: needs roles to be http alone`);
  return [...problems, ...bodiesContradictions(config, label), ...providerContradictions(config, label)];
}

function providerContradictions(config: Config, label: (name: OptionName) => string): string[] {
  const { oidcIssuer, oidcClientId, oidcClientSecretFile, web } = config;
  if (oidcIssuer === "") return [];
  const problems: string[] = [];
  const { protocol, hostname } = new URL(oidcIssuer);
  if (protocol === "http:" && !["127.0.0.1", "[::1]", "localhost"].includes(hostname))
    problems.push(`${label("oidcIssuer")}: must begin with https://, since passwords and tokens go there`);
  if (oidcClientId === "" || oidcClientSecretFile === "")
    problems.push(`${label("oidcIssuer")}: needs oidcClientId and oidcClientSecretFile too`);
  if (!web) problems.push(`${label("oidcIssuer")}: is for the inbox, but web is off`);
  return problems;
}

function bodiesContradictions(config: Config, label: (name: OptionName) => string): string[] {
  const problems: string[] = [];
  const { bodies, bodiesFallback, s3AccessKey, s3SecretKey, s3Encryption, s3KmsKey } = config;
  if (showBodiesPlace(bodiesFallback) === showBodiesPlace(bodies)) {
    problems.push(`${label("bodiesFallback")}: is the same place as bodies`);
  }
  if (s3AccessKey !== "" && s3SecretKey === "") problems.push(`${label("s3AccessKey")}: needs s3SecretKey too`);
  if (s3SecretKey !== "" && s3AccessKey === "") problems.push(`${label("s3SecretKey")}: needs s3AccessKey too`);
  if (s3KmsKey !== "" && s3Encryption !== "aws:kms") {
    problems.push(`${label("s3KmsKey")}: needs s3Encryption aws:kms`);
  }
  return problems;
}
