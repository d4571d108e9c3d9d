import { isTrustedRedirect } from "../auth/redirects.ts";
import { newCredentialId } from "../auth/secrets.ts";
import {
  findOauthClient,
  addOauthClient as insert,
  listOauthClients as list,
  type OauthClient,
  removeOauthClient as remove,
} from "../store/directory/oauth-clients.ts";
import { type Admin, changeInstallation } from "./admin.ts";
import { nameOf } from "./names.ts";
import { Refused } from "./refused.ts";

/** Registers a program for OAuth whose redirects may be web pages. Returns what it needs to know. */
export async function addOauthClient(
  admin: Admin,
  { name: text, redirectUris }: { name: string; redirectUris: readonly string[] },
): Promise<OauthClient> {
  const name = nameOf(text);
  for (const uri of redirectUris) if (!isTrustedRedirect(uri)) throw new Refused({ type: "notARedirect", text: uri });
  const id = `posthorn-${newCredentialId(admin.random)}`;
  const client = { id, name, redirectUris: [...redirectUris], createdAt: admin.store.clock.now() };
  await changeInstallation(admin, { act: "oauth-client.add", id, name }, (executor) => insert(executor, client));
  return client;
}

export function listOauthClients({ store }: Pick<Admin, "store">): Promise<OauthClient[]> {
  return list(store.database);
}

/** From now on it gets no tokens; those that it has end within the hour. Returns it. */
export async function removeOauthClient(admin: Admin, id: string): Promise<OauthClient> {
  const client = await findOauthClient(admin.store.database, id);
  if (!client) throw new Refused({ type: "noOauthClient", text: id });
  const { name } = client;
  await changeInstallation(admin, { act: "oauth-client.remove", id, name }, async (executor) => {
    if (!(await remove(executor, id))) throw new Refused({ type: "noOauthClient", text: id });
  });
  return client;
}
