import { type ParseArgsConfig, parseArgs } from "node:util";

/** The options that a script was called with; a wrong one ends it with a line that says which, and the help. */
export function readOptions<const T extends ParseArgsConfig>(config: T, help: string): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith("ERR_PARSE_ARGS")) throw error;
    // Node goes on with advice on positional arguments.
    process.stderr.write(`${message.split(". ", 1)[0]}\n\n${help}`);
    process.exit(2);
  }
}
