import { invite as add, listInvites, revokeInvite } from "../admin/invites.ts";
import type { InviteRow } from "../store/directory/invites.ts";
import type { Context } from "./command.ts";
import { say, table } from "./prompt.ts";

export async function invite({ admin, config, options }: Context): Promise<void> {
  const made = await add(admin, {
    domain: options.domain as string | undefined,
    address: options.address as string | undefined,
    days: Number(options.days),
  });
  // Behind the #, so that no server and no log gets to see it.
  const link = `${baseUrl(config)}/#/join/${made.token}`;
  if (options.json) return say(JSON.stringify({ ...shown(made), link }, null, 2));
  say(`For one account, ${placeOf(made)}, until ${minute(made.expiresAt)}. The link is shown only now:\n${link}`);
}

function baseUrl({ publicUrl, http }: Context["config"]): string {
  return publicUrl === "" ? `http://${http.host}:${http.port}` : publicUrl.replace(/\/+$/, "");
}

export async function list({ admin, options }: Context): Promise<void> {
  const invites = await listInvites(admin);
  if (options.json) return say(JSON.stringify(invites.map(shown), null, 2));
  if (invites.length === 0) return say("No invitation is open. Make one: posthorn invite --domain example.org");
  const rows = invites.map((one) => [one.id, one.address ?? `any@${one.domain}`, minute(one.expiresAt), one.who]);
  say(table([["ID", "FOR", "UNTIL", "MADE BY"], ...rows]));
}

export async function revoke({ admin }: Context, id: string): Promise<void> {
  await revokeInvite(admin, id);
  say(`Revoked the invitation ${id}.`);
}

const placeOf = ({ domain, address }: InviteRow) => (address === null ? `with any name at ${domain}` : address);
const minute = (time: Date) => `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
const shown = ({ id, domain, address, who, createdAt, expiresAt }: InviteRow) => ({
  ...{ id, domain, address, who, createdAt, expiresAt },
});
