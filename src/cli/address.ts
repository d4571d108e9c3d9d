import {
  addAddress,
  type Forwarding,
  forwardAddress,
  type ListedAddress,
  listAddresses,
  removeAddress,
} from "../admin/addresses.ts";
import type { Context } from "./command.ts";
import { answer, say, table } from "./prompt.ts";

function forwardingOf({ options }: Context): Forwarding {
  const { to = [], copy } = options as { to?: string[]; copy: boolean };
  return { to, keepsCopy: copy };
}

export async function add(context: Context, text: string, account: string): Promise<void> {
  const made = await addAddress(context.admin, text, account, forwardingOf(context));
  const { address, login, domain, isNewDomain, forwards, keepsCopy } = made;
  const hint = isNewDomain ? `Added the domain ${domain.name}; "posthorn domain list" prints its DNS records.\n` : "";
  const goals = [...(keepsCopy ? [login] : []), ...(forwards ?? [])];
  const named = address.startsWith("@") ? `all other addresses in ${domain.name}` : address;
  const value = { address, account: login, forwards, keepsCopy, domain: domain.name, isNewDomain };
  answer(context, value, `${hint}Mail for ${named} goes to ${goals.join(", ")}.`);
}

export async function forward(context: Context, text: string): Promise<void> {
  const { address, forwards, keepsCopy } = await forwardAddress(context.admin, text, forwardingOf(context));
  const also = keepsCopy ? ", and to its account" : "";
  const goals = forwards === null ? "its account alone" : `${forwards.join(", ")}${also}`;
  answer(context, { address, forwards, keepsCopy }, `Mail for ${address} goes to ${goals}.`);
}

export async function list({ admin, options }: Context): Promise<void> {
  const rows = (await listAddresses(admin)).filter(({ isMasked }) => !isMasked);
  if (options.json) return say(JSON.stringify(rows.map(plain), null, 2));
  const cells = rows.map(({ address, login = "?", forwards, keepsCopy }) => [
    address,
    keepsCopy ? login : `(${login})`,
    forwards.join(", "),
  ]);
  say(table([["ADDRESS", "ACCOUNT", "ALSO GOES TO"], ...cells]));
}

const plain = ({ address, login, forwards, keepsCopy }: ListedAddress) => ({
  ...{ address, account: login ?? null, forwards, keepsCopy },
});

export async function remove(context: Context, text: string): Promise<void> {
  const { address } = await removeAddress(context.admin, text);
  answer(context, { address }, `Removed the address ${address}: mail for it is refused.`);
}
