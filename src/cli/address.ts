import { addAddress, listAddresses, removeAddress } from "../admin/addresses.ts";
import type { Context } from "./command.ts";
import { say, table } from "./prompt.ts";

export async function add({ admin }: Context, text: string, account: string): Promise<void> {
  const { address, login, domain, isNewDomain } = await addAddress(admin, text, account);
  if (isNewDomain) say(`Added the domain ${domain.name}; "posthorn domain list" prints its DNS records.`);
  say(`Mail for ${address.startsWith("@") ? `all other addresses in ${domain.name}` : address} goes to ${login}.`);
}

export async function list({ admin }: Context): Promise<void> {
  const rows = (await listAddresses(admin)).map(({ address, login = "?" }) => [address, login]);
  say(table([["ADDRESS", "ACCOUNT"], ...rows]));
}

export async function remove({ admin }: Context, text: string): Promise<void> {
  const { address } = await removeAddress(admin, text);
  say(`Removed the address ${address}: mail for it is refused.`);
}
