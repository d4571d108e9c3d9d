import { Readable } from "node:stream";
import { run } from "../../src/cli/run.ts";
import type { CommandCall } from "./commands.ts";

/** Runs the commands that it is sent, one at a time, as if each had a process of its own. */

/** Thrown where a command ends its process. */
class Ended extends Error {}

async function result({ args, env, stdin }: CommandCall) {
  const out = { stdout: "", stderr: "" };
  let code: number | undefined;
  process.env = env;
  process.exitCode = undefined;
  process.exit = (given) => {
    code ??= Number(given ?? process.exitCode ?? 0);
    throw new Ended();
  };
  const input = Readable.from(stdin === "" ? [] : [Buffer.from(stdin)], { objectMode: false });
  Object.defineProperty(process, "stdin", { value: input, configurable: true });
  for (const name of ["stdout", "stderr"] as const) {
    process[name].isTTY = false;
    process[name].write = (chunk: string | Uint8Array) => {
      // After its end a process prints no more.
      if (code === undefined) out[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
      return true;
    };
  }
  try {
    await run(args);
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
  }
  return { code: code ?? Number(process.exitCode ?? 0), ...out };
}

const end = process.exit;
process.on("message", async (call: CommandCall) => process.send?.(await result(call)));
process.on("disconnect", () => end());
