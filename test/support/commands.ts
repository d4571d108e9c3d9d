import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** One command, for the process in command-process.ts. */
export interface CommandCall {
  args: string[];
  env: NodeJS.ProcessEnv;
  stdin: string;
}

const program = fileURLToPath(new URL("./command-process.ts", import.meta.url));
let process: ChildProcess | undefined;
let latest: Promise<unknown> = Promise.resolve();

/**
 * Runs `posthorn ARGS` in a process that runs one command after the other: starting one for each takes longer than most
 * commands.
 */
export function runCommand(call: CommandCall): Promise<CliResult> {
  const result = latest.then(() => ask(call));
  latest = result.catch(() => {});
  return result;
}

function ask(call: CommandCall): Promise<CliResult> {
  process ??= fork(program, { stdio: ["ignore", "ignore", "inherit", "ipc"], execArgv: [] });
  const child = process;
  return new Promise((resolve, reject) => {
    const fail = (code: number | null) => {
      process = undefined;
      reject(new Error(`posthorn ${call.args.join(" ")}: the process of the commands ended with ${code}`));
    };
    child.once("exit", fail);
    child.once("message", (result: CliResult) => {
      child.off("exit", fail);
      child.channel?.unref();
      resolve(result);
    });
    child.channel?.ref();
    child.send(call);
    child.unref();
  });
}
