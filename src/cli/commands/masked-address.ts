import type { Command } from "commander";
import { examples, onStore } from "../command.ts";

const acts = () => import("../masked-address.ts");

/** Adds them below "address". */
export function addMaskCommands(address: Command): void {
  onStore(
    address
      .command("mask <account>")
      .description("make an address that the account can give away, and close alone")
      .option("--label <text>", "whom it is given to", "")
      .addHelpText("after", examples("address mask ann@example.org --label shop")),
    async () => (await acts()).mask,
  );
  onStore(
    address
      .command("masks <account>")
      .description("list the masked addresses of an account, and which domains wrote to each last")
      .option("--json", "print JSON")
      .addHelpText("after", examples("address masks ann@example.org")),
    async () => (await acts()).masks,
  );
  onStore(
    address
      .command("pause <address>")
      .description("refuse mail for a masked address, as if it did not exist")
      .addHelpText("after", examples("address pause kelovita.40217@example.org")),
    async () => (await acts()).pause,
  );
  onStore(
    address
      .command("resume <address>")
      .description("let mail for a masked address in again")
      .addHelpText("after", examples("address resume kelovita.40217@example.org")),
    async () => (await acts()).resume,
  );
}
