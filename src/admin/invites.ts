import { tokenHash } from "../auth/secrets.ts";
import { normalizeDomain, splitAddress } from "../base/address.ts";
import { findDomain, isAddressTaken, listDomains } from "../store/directory/directory.ts";
import { addInvite, type InviteRow, openInvites, takeInvite } from "../store/directory/invites.ts";
import { type Admin, changeInstallation } from "./admin.ts";
import { addressOf } from "./names.ts";
import { Refused } from "./refused.ts";

const dayMs = 86_400_000;
const idAlphabet = "abcdefghjkmnpqrstuvwxyz023456789";

interface Wanted {
  domain?: string | undefined;
  /** The only address that the guest may have; a name of the guest's choice without it. */
  address?: string | undefined;
  days: number;
}

/** Invites somebody to make one account. `token` is available only here: the database stores its hash. */
export async function invite(admin: Admin, { days, ...wanted }: Wanted): Promise<InviteRow & { token: string }> {
  const { domain, address } = await placeOf(admin, wanted);
  const { store, random, who } = admin;
  const id = [...random(6)].map((byte) => idAlphabet[byte % idAlphabet.length]).join("");
  const token = random(32).toString("base64url");
  const createdAt = store.clock.now();
  const row = { id, domain, address, who, createdAt, expiresAt: new Date(createdAt.getTime() + days * dayMs) };
  await changeInstallation(admin, { act: "invite.add", invite: id, domain, address }, (executor) =>
    addInvite(executor, { ...row, hash: tokenHash(token) }),
  );
  return { ...row, token };
}

async function placeOf(
  { store }: Admin,
  { domain, address: text }: Omit<Wanted, "days">,
): Promise<{ domain: string; address: string | null }> {
  const { database } = store;
  const address = text === undefined ? null : addressOf(text);
  const name = address === null ? await domainOf(database, domain) : splitAddress(address)!.domain;
  if (!(await findDomain(database, name))) throw new Refused({ type: "noDomain", text: name });
  if (address !== null && domain !== undefined && normalizeDomain(domain) !== name) {
    throw new Refused({ type: "notInDomain", address, domain });
  }
  if (address !== null && (await isAddressTaken(database, address))) throw new Refused({ type: "taken", address });
  return { domain: name, address };
}

/** The only domain if none is named. */
async function domainOf(database: Admin["store"]["database"], text: string | undefined): Promise<string> {
  if (text === undefined) {
    const domains = await listDomains(database);
    if (domains.length !== 1) throw new Refused({ type: "domainUnnamed", domains: domains.map(({ name }) => name) });
    return domains[0]!.name;
  }
  const name = normalizeDomain(text);
  if (name === undefined) throw new Refused({ type: "notADomain", text });
  return name;
}

/** Those that can still be used. */
export function listInvites({ store }: Admin): Promise<InviteRow[]> {
  return openInvites(store.database, store.clock.now());
}

export async function revokeInvite(admin: Admin, id: string): Promise<void> {
  await changeInstallation(admin, { act: "invite.revoke", invite: id }, async (executor) => {
    if (!(await takeInvite(executor, id, admin.store.clock.now()))) throw new Refused({ type: "noInvite", id });
  });
}
