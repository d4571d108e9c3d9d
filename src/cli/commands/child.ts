import type { Command } from "commander";
import { explain, Failure } from "../fail.ts";
import { addConfigOptions, configOf } from "../options.ts";
import { Line, type Port } from "../processes/line.ts";
import { keepYoungSmall } from "../small-heap.ts";

/** The parent alone decides when its children end; a terminal sends its signals to all of them. */
const ignored = ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"] as const;

/** One of the processes of `posthorn serve --workers`, which starts it. */
export function addChildCommand(program: Command): void {
  const command = program.command("child", { hidden: true });
  addConfigOptions(command).action(async () => {
    if (!process.send) throw new Failure('this command is for "posthorn serve --workers" to run');
    keepYoungSmall();
    for (const signal of ignored) process.on(signal, () => {});
    const line = new Line(process as unknown as Port);
    try {
      const { config } = configOf(command);
      const { serveAsChild } = await import("../processes/child.ts");
      await serveAsChild(line, config);
    } catch (error) {
      // The parent prints it.
      line.tell("failed", explain(error));
      process.exitCode = 1;
    }
    await line.flushed();
    process.exit();
  });
}
