import type { Command } from "commander";
import {
  addAlias,
  listAccounts,
  listAddresses,
  normalizeAddress,
  removeAlias,
  splitAddress,
} from "../store/directory/directory.ts";
import { findLogin } from "../store/directory/logins.ts";
import { type Context, examples, loginOf, onStore } from "./command.ts";
import { ensureDomain } from "./dkim.ts";
import { Failure } from "./fail.ts";
import { say, table } from "./prompt.ts";

export function addAddressCommands(program: Command): void {
  const address = program.command("address").description("aliases and catch-all addresses");
  onStore(
    address
      .command("add <address> <account>")
      .description('deliver mail for an address, or with "@domain" for all others of a domain, to an account')
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
      .description("refuse mail for an address from now on")
      .addHelpText("after", examples("address remove sales@example.org")),
    remove,
  );
}

async function add({ store }: Context, text: string, account: string): Promise<void> {
  const alias = normalizeAddress(text);
  if (alias === undefined) throw new Failure(`"${text}" is no e-mail address and no @domain`);
  const { login, userId } = await loginOf(store, account);
  const taken = (await listAddresses(store.database)).some((row) => row.address === alias);
  if (taken) throw new Failure(`${alias} is taken`);
  const { domain, isNew } = await ensureDomain(store, splitAddress(alias)!.domain);
  await addAlias(store, alias, userId);
  if (isNew) say(`Made the domain ${domain.name}; posthorn domain list prints its DNS records.`);
  say(`Mail for ${alias.startsWith("@") ? `all other addresses in ${domain.name}` : alias} goes to ${login}.`);
}

async function list({ store }: Context): Promise<void> {
  const logins = new Map((await listAccounts(store.database)).map(({ userId, login }) => [userId, login]));
  const rows = (await listAddresses(store.database)).map(({ address, userId }) => [address, logins.get(userId) ?? "?"]);
  say(table([["ADDRESS", "ACCOUNT"], ...rows]));
}

async function remove({ store }: Context, text: string): Promise<void> {
  const address = normalizeAddress(text);
  if (address !== undefined && (await findLogin(store.database, address))) {
    throw new Failure(`${address} is an account's own address (to remove that: posthorn account remove ${address})`);
  }
  if (address === undefined || !(await removeAlias(store.database, address))) {
    throw new Failure(`there is no address ${text}`);
  }
  say(`Mail for ${address} is refused.`);
}
