import type { Command } from "commander";
import { examples } from "../command.ts";
import { addConfigOptions } from "../options.ts";

type Act = "copy" | "verify" | "status";

export function addBlobsCommands(program: Command): void {
  const blobs = program.command("blobs").description("move bodies between disk and S3, and check them");
  onBodies(
    blobs
      .command("copy")
      .description("copy to --bodies what only --bodies-fallback has, while servers run; run it again to go on")
      .option("--dry-run", "only say how much that is")
      .addHelpText("after", examples("blobs copy --bodies s3://mail/bodies --bodies-fallback disk --dry-run")),
    "copy",
  );
  onBodies(
    blobs
      .command("verify")
      .description("read every body and compare it with its hash; exit code 1 if one is damaged or not copied yet")
      .addHelpText("after", examples("blobs verify")),
    "verify",
  );
  onBodies(
    blobs
      .command("status")
      .description("count the bodies in --bodies and --bodies-fallback")
      .addHelpText("after", examples("blobs status")),
    "status",
  );
}

function onBodies(command: Command, act: Act): void {
  addConfigOptions(command.option("--json", "print JSON")).action(async () => {
    const acts = await import("../blobs.ts");
    await acts.onBodies(command, acts[act]);
  });
}
