import { encodeId } from "../base/ids.ts";
import { CommitError } from "../store/core/errors.ts";
import type { Tx } from "../store/core/store.ts";
import { appendAudit } from "../store/directory/audit.ts";
import { MethodError } from "./errors.ts";
import type { Call } from "./method.ts";

/** What the audit records of an act on the caller's own login: the names of the same acts of an operator. */
type Act =
  | { act: "account.password" }
  | { act: "app-password.add" | "credential.revoke" /** Several are separated by spaces. */; id: string };

/** Throws unless the caller may change what its login signs in with. */
export function mayChangeCredentials({ login, services }: Call): void {
  if (services.store.database.isReadOnly) throw new MethodError("forbidden", "this server only reads");
  // Whoever finds the secret of one program must not be able to make others, or to sign its owner out.
  if (login.credential.startsWith("app:")) {
    throw new MethodError("forbidden", "a program that signs in with an app password cannot change credentials");
  }
}

/**
 * Changes the caller's own login, with a row in the audit of its account. With `revokes`, every process checks open
 * connections again: after the commit, and also when its outcome is unknown.
 */
export async function changeOwnLogin<T>(
  { login, services }: Call,
  { revokes, ...what }: Act & { revokes?: true },
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const announce = () => revokes && services.bus.publish({ credential: login.login });
  try {
    const result = await services.store.write(login.userId, login, async (tx) => {
      const done = await work(tx);
      await appendAudit(tx, { who: login.login, what });
      return done;
    });
    announce();
    return result;
  } catch (error) {
    if (error instanceof CommitError) announce();
    throw error;
  }
}

/** The id of a credential, letters and digits, as a number that the standard methods can handle. */
export function credentialNumber(id: string): number {
  return Number.parseInt(id, 36);
}

/** The inverse. `length`: of the id. */
export function credentialId(number: number, length: number): string {
  return number.toString(36).padStart(length, "0");
}

/** What all credentials show of their use. */
export function shownUse(prefix: string, row: { id: string; label: string; network: string | null }) {
  const { id, label, network } = row;
  return { id: encodeId(prefix, credentialNumber(id)), label, network: network && shownNetwork(network) };
}

/** An IPv4 address, or an IPv6 prefix of 64 bits. */
export function shownNetwork(network: string): string {
  return network.includes(":") ? `${network}::/64` : network;
}
