import type { Command } from "commander";
import { examine } from "../store/doctor.ts";
import { type Context, examples, onStore } from "./command.ts";
import { say } from "./prompt.ts";

export function addDoctorCommand(program: Command): void {
  onStore(
    program
      .command("doctor")
      .description("recount what is kept and look for missing bodies; exit code 1 on a difference")
      .addHelpText("after", examples("doctor", "doctor --data /var/lib/posthorn")),
    doctor,
  );
}

async function doctor({ store, objects, log }: Context): Promise<void> {
  const progress = (done: number, of: number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${of} accounts`);
    else if (done === of || done % 100 === 0) process.stderr.write(`${done} of ${of} accounts\n`);
  };
  const { findings, objects: tally } = await examine({ store, objects, log, progress });
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  for (const { accountId, problem } of findings) say(`account ${accountId}: ${problem}`);
  say(`Bodies: ${tally.held} held, ${tally.pending} pending, ${tally.garbage} to be swept.`);
  say(findings.length === 0 ? "All is well." : `${findings.length} differences.`);
  if (findings.length > 0) process.exitCode = 1;
}
