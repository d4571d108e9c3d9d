import { CommanderError } from "commander";
import { explain } from "./fail.ts";
import { paint } from "./paint.ts";
import { makeProgram } from "./program.ts";

/** Runs `posthorn ARGS`. A failure is told on stderr and ends the process. */
export async function run(args: string[]): Promise<void> {
  try {
    await makeProgram(args[0]).parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode);
    process.stderr.write(`${paint("bad", "posthorn:", process.stderr)} ${explain(error)}\n`);
    process.exit(1);
  }
}
