import type { Command } from "commander";
import { addAddress, listAddresses, removeAddress } from "../admin/addresses.ts";
import { type Context, examples, onStore } from "./command.ts";
import { say, table } from "./prompt.ts";

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
    add,
  );
  onStore(
    address.command("list").description("list all addresses").addHelpText("after", examples("address list")),
    list,
  );
  onStore(
    address
      .command("remove <address>")
      .description("remove an address: mail for it is refused from now on")
      .addHelpText("after", examples("address remove sales@example.org")),
    remove,
  );
}

async function add({ admin }: Context, text: string, account: string): Promise<void> {
  const { address, login, domain, isNewDomain } = await addAddress(admin, text, account);
  if (isNewDomain) say(`Added the domain ${domain.name}; "posthorn domain list" prints its DNS records.`);
  say(`Mail for ${address.startsWith("@") ? `all other addresses in ${domain.name}` : address} goes to ${login}.`);
}

async function list({ admin }: Context): Promise<void> {
  const rows = (await listAddresses(admin)).map(({ address, login = "?" }) => [address, login]);
  say(table([["ADDRESS", "ACCOUNT"], ...rows]));
}

async function remove({ admin }: Context, text: string): Promise<void> {
  const { address } = await removeAddress(admin, text);
  say(`Removed the address ${address}: mail for it is refused.`);
}
