import type { Command } from "commander";
import { examples, onStore } from "../command.ts";
import { addMaskCommands } from "./masked-address.ts";

const acts = () => import("../address.ts");

export function addAddressCommands(program: Command): void {
  const address = program
    .command("address")
    .description("aliases, groups, forwards, catch-all addresses, masked addresses");
  onStore(
    forwarding(
      address
        .command("add <address> <account>")
        .description('deliver mail for an address to an account; "@domain" is the catch-all of a domain'),
    ).addHelpText(
      "after",
      examples(
        "address add sales@example.org ann@example.org",
        "address add @example.org ann@example.org",
        "address add team@example.org ann@example.org --to bob@example.org,eve@example.net --no-copy",
      ),
    ),
    async () => (await acts()).add,
  );
  onStore(
    forwarding(
      address
        .command("forward <address>")
        .description("send the mail of an address on; without --to, to nobody else from now on"),
    ).addHelpText(
      "after",
      examples(
        "address forward ann@example.org --to ann@example.net",
        "address forward ann@example.org --to ann@example.net --no-copy",
        "address forward ann@example.org",
      ),
    ),
    async () => (await acts()).forward,
  );
  onStore(
    address
      .command("list")
      .description("list all addresses but masked ones")
      .option("--json", "print JSON")
      .addHelpText("after", examples("address list")),
    async () => (await acts()).list,
  );
  onStore(
    address
      .command("remove <address>")
      .description("remove an address: mail for it is refused from now on")
      .addHelpText("after", examples("address remove sales@example.org")),
    async () => (await acts()).remove,
  );
  addMaskCommands(address);
}

const forwarding = (command: Command) =>
  command
    .option("--to <addresses>", "where its mail goes besides, here or elsewhere (a comma list)", commaList)
    .option("--no-copy", "its account gets no copy of that mail");

const commaList = (text: string): string[] => text.split(",").map((part) => part.trim());
