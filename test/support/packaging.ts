import { readFileSync } from "node:fs";
import { type OptionName, schema } from "../../src/config/schema.ts";

export const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

const options = Object.keys(schema) as OptionName[];

/** What is wrong with options as they are given to a process; it names the first. */
export function faultIn({
  env = {},
  args = [],
}: {
  env?: Record<string, string>;
  args?: string[];
}): string | undefined {
  for (const [name, value] of Object.entries(env)) {
    if (name === "POSTHORN_CONFIG" || !/^(POSTHORN_|DATABASE_URL$)/.test(name)) continue;
    const option = options.find((one) => schema[one].env === name);
    if (option === undefined) return `${name}: no such option`;
    const fault = faultOf(option, value);
    if (fault !== undefined) return `${name}: ${fault}`;
  }
  for (let at = 0; at < args.length; at += 2) {
    const [flag = "", value] = args.slice(at);
    if (value === undefined) return `${flag}: has no value`;
    if (flag === "--config") continue;
    const option = options.find((one) => `--${schema[one].flag}` === flag);
    if (option === undefined) return `${flag}: no such option`;
    const fault = faultOf(option, value);
    if (fault !== undefined) return `${flag}: ${fault}`;
  }
  return undefined;
}

function faultOf(option: OptionName, value: string): string | undefined {
  try {
    schema[option].parse(value);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The port of an address such as 0.0.0.0:8080. */
export const portIn = (address: string) => Number(/:(\d+)$/.exec(address)![1]);

interface Instruction {
  name: string;
  /** Continued lines are joined. */
  rest: string;
}

/** The instructions of a Dockerfile, without comments. */
export function instructionsOf(dockerfile: string): Instruction[] {
  const lines = dockerfile.replace(/^\s*#.*\n/gm, "").replace(/\\\n\s*/g, "");
  return [...lines.matchAll(/^([A-Z]+) (.+)$/gm)].map(([, name, rest]) => ({ name: name!, rest: rest! }));
}

/** NAME=value … of ENV. */
export function environmentOf(instructions: readonly Instruction[]): Record<string, string> {
  const given = instructions.filter(({ name }) => name === "ENV").flatMap(({ rest }) => rest.split(/\s+/));
  return Object.fromEntries(given.map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)]));
}

/** The settings of a section of a unit of systemd, in order. */
export function settingsOf(unit: string, section: string): [name: string, value: string][] {
  const body = unit.split(/^\[(\w+)\]$/m);
  const lines = body[body.indexOf(section) + 1]!.split("\n").filter((line) => /^\w+=/.test(line));
  return lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
}
