import type { EventEmitter } from "node:events";
import type { Command, Option } from "commander";

export interface TableOption {
  /** Such as "--json", and "-V" if it has a short form. */
  names: string[];
  /** What its value is called, such as "domain"; undefined for a switch, which needs none. */
  value: string | undefined;
  /** The words that it takes, if it takes only some. */
  choices: string[];
  help: string;
}

export interface TableCommand {
  /** The words that lead to it, such as ["account", "add"]; none for the program itself. */
  path: string[];
  /** Its arguments, such as "<domain> [size]". */
  args: string;
  help: string;
  /** The options that its help shows, beside --help. */
  options: TableOption[];
  /** The names of the commands below it. */
  below: string[];
  /** The words that its arguments may be, if only some are taken. */
  argWords: string[];
  /** What its help says below the options, such as examples. */
  more: string;
}

/** All commands that help shows, each before those below it. Completion and the man page are made from this. */
export function tableOf(program: Command): TableCommand[] {
  const list = (command: Command, path: string[]): TableCommand[] => {
    const below = command.commands.filter((one) => !isHidden(one));
    const args = command.registeredArguments.map((one) => {
      const name = `${one.name()}${one.variadic ? "…" : ""}`;
      return one.required ? `<${name}>` : `[${name}]`;
    });
    const own: TableCommand = {
      path,
      args: args.join(" "),
      help: command.description(),
      options: command.options.filter(({ hidden }) => !hidden).map(optionOf),
      below: below.map((one) => one.name()),
      argWords: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
      more: moreOf(command),
    };
    return [own, ...below.flatMap((one) => list(one, [...path, one.name()]))];
  };
  return list(program, []);
}

const isHidden = (command: Command) => (command as Command & { _hidden?: boolean })._hidden === true;

function optionOf(option: Option): TableOption {
  const { short, long, flags, argChoices, description } = option;
  const value = /<([^>]+)>/.exec(flags)?.[1];
  const names = [short, long].filter((name) => name !== undefined);
  return { names, value, choices: argChoices ?? [], help: description };
}

/** The text that was added with addHelpText. */
function moreOf(command: Command): string {
  let text = "";
  // The types leave out that commands emit events.
  const emitter = command as unknown as Pick<EventEmitter, "emit">;
  emitter.emit("afterHelp", { error: false, command, write: (part: string) => (text += part) });
  return text.trim();
}
