import type { Command } from "commander";
import { examples, onStore } from "../command.ts";

const acts = () => import("../quarantine.ts");

export function addQuarantineCommands(program: Command): void {
  const quarantine = program.command("quarantine").description("infected mail, which is kept for 30 days");
  onStore(
    quarantine
      .command("list")
      .description("list the newest 1,000 infected messages")
      .addHelpText("after", examples("quarantine list")),
    async () => (await acts()).list,
  );
  onStore(
    quarantine
      .command("show <message>")
      .description("show an infected message's envelope and header")
      .addHelpText("after", examples("quarantine show q12")),
    async () => (await acts()).show,
  );
  onStore(
    quarantine
      .command("release <message>")
      .description("deliver an infected message to its recipients all the same")
      .addHelpText("after", examples("quarantine release q12")),
    async () => (await acts()).release,
  );
  onStore(
    quarantine
      .command("delete <message>")
      .description("delete an infected message")
      .addHelpText("after", examples("quarantine delete q12")),
    async () => (await acts()).remove,
  );
}
