import type { Command } from "commander";
import { examples, onStore } from "../command.ts";

const acts = () => import("../doctor.ts");

export function addDoctorCommand(program: Command): void {
  onStore(
    program
      .command("doctor")
      .description(
        "recount stored counts, and look for bodies that are missing, of the wrong size or orphaned; exit code 1 on a difference",
      )
      .addHelpText("after", examples("doctor", "doctor --data /var/lib/posthorn")),
    async () => (await acts()).doctor,
  );
}
