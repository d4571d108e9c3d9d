import { hashPassword, newAppPassword, newToken } from "../auth/secrets.ts";
import {
  revokeCredential as deleteCredential,
  addAppPassword as insertAppPassword,
  addToken as insertToken,
  listCredentials as listAll,
} from "../store/directory/tokens.ts";
import { type Admin, changeAccount } from "./admin.ts";
import { loginOf } from "./names.ts";
import { Refused } from "./refused.ts";

/** A new credential. `secret` is available only here: the database stores its hash. */
export interface NewCredential {
  login: string;
  id: string;
  secret: string;
}

const dayMs = 86_400_000;

/** Adds a bearer token; without `days` it does not expire. */
export async function addToken(
  admin: Admin,
  text: string,
  { label, days }: { label: string; days: number | undefined },
): Promise<NewCredential> {
  const owner = await loginOf(admin, text);
  const { id, secret, hash } = newToken(admin.random, owner.userId);
  const expiresAt = days === undefined ? undefined : new Date(admin.store.clock.now().getTime() + days * dayMs);
  await changeAccount(admin, owner, { act: "token.add", id }, (_, place) =>
    insertToken(place, { ...owner, id, label, hash, expiresAt }),
  );
  return { login: owner.login, id, secret };
}

/** Adds an app password: one for a single mail program. */
export async function addAppPassword(admin: Admin, text: string, label: string): Promise<NewCredential> {
  const owner = await loginOf(admin, text);
  const { id, secret } = newAppPassword(admin.random);
  const hash = await hashPassword(secret);
  await changeAccount(admin, owner, { act: "app-password.add", id }, (_, place) =>
    insertAppPassword(place, { ...owner, id, label, hash }),
  );
  return { login: owner.login, id, secret };
}

export async function listCredentials(admin: Admin, text: string) {
  const owner = await loginOf(admin, text);
  return { login: owner.login, credentials: await listAll(admin.store.database, owner) };
}

/** Revokes a token or app password, and ends the push subscriptions made with it. */
export async function revokeCredential(admin: Admin, text: string, id: string): Promise<void> {
  const owner = await loginOf(admin, text);
  const { login, userId } = owner;
  await changeAccount(admin, { userId, revokes: login }, { act: "credential.revoke", id }, async (tx) => {
    if (!(await deleteCredential(tx, owner, id))) throw new Refused({ type: "noCredential", login, id });
  });
}
