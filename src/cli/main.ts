import { CommanderError } from "commander";
import { explain } from "./fail.ts";
import { paint } from "./paint.ts";
import { makeProgram } from "./program.ts";

// The reader of our output may stop early, as in `posthorn config | head`.
process.stdout.on("error", () => {});

try {
  await makeProgram(process.argv[2]).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode);
  process.stderr.write(`${paint("bad", "posthorn:", process.stderr)} ${explain(error)}\n`);
  process.exit(1);
}
