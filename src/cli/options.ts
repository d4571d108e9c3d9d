import { type Command, Option } from "commander";
import { fileOption, type Loaded, load } from "../config/load.ts";
import { type OptionName, schema } from "../config/schema.ts";

/** The options that commands other than `serve` and `config` show in their help; they accept all. */
const common = new Set<OptionName>(["data", "databaseUrl", "logLevel"]);
const names = Object.keys(schema) as OptionName[];

/** Makes every option of the configuration a flag of the command. */
export function addConfigOptions(command: Command, { all = false } = {}): Command {
  for (const name of names) {
    const { flag, default: standard, help, env } = schema[name];
    const isSwitch = standard === "true" || standard === "false";
    const option = new Option(`--${flag} ${isSwitch ? "[yes]" : "<value>"}`, `${help} [${env}]`);
    option.helpGroup("Configuration (also by environment and file):");
    command.addOption(all || common.has(name) ? option : option.hideHelp());
  }
  const file = new Option(`--${fileOption.flag} <file>`, `${fileOption.help} [${fileOption.env}]`);
  return command.addOption(file.helpGroup("Configuration (also by environment and file):"));
}

/** Loads the configuration from the command's flags, the environment and the file. */
export function configOf(command: Command): Loaded {
  const { flags, file } = flagsOf(command);
  return load(process.env, flags, file);
}

/** The options of the configuration that the command was given, by their flags; `file` is the one that --config names. */
export function flagsOf(command: Command): { flags: Record<string, string>; file: string | undefined } {
  const flags: Record<string, string> = {};
  const given = command.opts<Record<string, unknown>>();
  for (const name of names) {
    const value = given[name];
    if (value !== undefined) flags[schema[name].flag] = value === true ? "true" : String(value);
  }
  const file = given[fileOption.flag];
  return { flags, file: typeof file === "string" ? file : undefined };
}
