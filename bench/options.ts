import { type ParseArgsConfig, parseArgs } from "node:util";

/** Parses a script's options; an invalid one ends the script with a line that names it, and the help. */
export function readOptions<const T extends ParseArgsConfig>(config: T, help: string): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith("ERR_PARSE_ARGS")) throw error;
    // Node's message goes on with advice about positional arguments.
    process.stderr.write(`${message.split(". ", 1)[0]}\n\n${help}`);
    process.exit(2);
  }
}
