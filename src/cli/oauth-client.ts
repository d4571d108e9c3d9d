import { addOauthClient, listOauthClients, removeOauthClient } from "../admin/oauth-clients.ts";
import type { Context } from "./command.ts";
import { say, table } from "./prompt.ts";

export async function add({ admin, options }: Context, name: string): Promise<void> {
  const client = await addOauthClient(admin, { name, redirectUris: options.redirect as string[] });
  if (options.json) return say(JSON.stringify(client, null, 2));
  say(`client_id: ${client.id}\nIt has no secret: it proves itself by PKCE (S256).`);
}

export async function list({ admin, options }: Context): Promise<void> {
  const clients = await listOauthClients(admin);
  if (options.json) return say(JSON.stringify(clients, null, 2));
  if (clients.length === 0) return say("No program is registered (add one: posthorn oauth-client add NAME).");
  const rows = clients.map(({ id, name, redirectUris, createdAt }) => [
    id,
    name,
    createdAt.toISOString(),
    redirectUris.join(" "),
  ]);
  say(table([["ID", "NAME", "SINCE", "REDIRECTS"], ...rows]));
}

export async function remove({ admin, options }: Context, id: string): Promise<void> {
  if (options.dryRun) {
    const client = (await listOauthClients(admin)).find((one) => one.id === id);
    if (client) return say(options.json ? JSON.stringify(client, null, 2) : `${client.name} would be removed.`);
  }
  const client = await removeOauthClient(admin, id);
  if (options.json) return say(JSON.stringify(client, null, 2));
  say(`${client.name} gets no more tokens; those that it has end within the hour.`);
}
