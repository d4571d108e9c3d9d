import type { Command } from "commander";
import { examples, onStore } from "../command.ts";

const acts = () => import("../address.ts");

export function addAddressCommands(program: Command): void {
  const address = program.command("address").description("aliases and catch-all addresses");
  onStore(
    address
      .command("add <address> <account>")
      .description('deliver mail for an address to an account; "@domain" is the catch-all of a domain')
      .addHelpText(
        "after",
        examples("address add sales@example.org ann@example.org", "address add @example.org ann@example.org"),
      ),
    async () => (await acts()).add,
  );
  onStore(
    address.command("list").description("list all addresses").addHelpText("after", examples("address list")),
    async () => (await acts()).list,
  );
  onStore(
    address
      .command("remove <address>")
      .description("remove an address: mail for it is refused from now on")
      .addHelpText("after", examples("address remove sales@example.org")),
    async () => (await acts()).remove,
  );
}
