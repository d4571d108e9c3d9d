import { normalizeAddress, splitAddress } from "../base/address.ts";
import { Conflict } from "../store/core/errors.ts";
import {
  addAlias,
  findAddressOwner,
  isAddressTaken,
  listAccounts,
  listAddresses as listAll,
  removeAlias,
  setForwards,
} from "../store/directory/directory.ts";
import { findLogin } from "../store/directory/logins.ts";
import { findMaskedByEmail, removeMaskedAddresses } from "../store/directory/masked-addresses.ts";
import { findRecipients } from "../store/directory/recipients.ts";
import { type Admin, changeAccount } from "./admin.ts";
import { ensureDomain, holdDomain } from "./domains.ts";
import { addressOf, loginOf } from "./names.ts";
import { Refused } from "./refused.ts";

/** Where the mail of an address goes besides its account, and whether that gets a copy. */
export interface Forwarding {
  to: readonly string[];
  keepsCopy: boolean;
}

const alone: Forwarding = { to: [], keepsCopy: true };

/**
 * Delivers mail for an address to an account, and to those of `forwarding`; "@example.org" is the domain's catch-all. Adds the
 * domain if it is new.
 */
export async function addAddress(admin: Admin, text: string, account: string, forwarding = alone) {
  const address = normalizeAddress(text);
  if (address === undefined || !text.isWellFormed()) throw new Refused({ type: "notAnAddressOrDomain", text });
  const { login, userId } = await loginOf(admin, account);
  if (await isAddressTaken(admin.store.database, address)) throw new Refused({ type: "taken", address });
  const targets = await targetsOf(admin, address, forwarding);
  const { domain, isNew } = await ensureDomain(admin, splitAddress(address)!.domain);
  await changeAccount(admin, { userId }, { act: "address.add", address }, async (tx, place) => {
    await holdDomain(tx, domain.name);
    await addAlias(place, address, userId);
    if (targets.forwards !== null) await setForwards(tx, { address, userId, ...targets });
  }).catch((error: unknown) => {
    throw error instanceof Conflict ? new Refused({ type: "taken", address }) : error;
  });
  return { address, login, domain, isNewDomain: isNew, ...targets };
}

/** Sends the mail of an address to these addresses, here and elsewhere, instead of those before. */
export async function forwardAddress(admin: Admin, text: string, forwarding: Forwarding) {
  const address = normalizeAddress(text);
  const { database } = admin.store;
  const userId = address === undefined ? undefined : await findAddressOwner(database, address);
  const isMasked = address !== undefined && (await findMaskedByEmail(database, address)) !== undefined;
  if (address === undefined || userId === undefined || isMasked) throw new Refused({ type: "noAddress", text });
  const targets = await targetsOf(admin, address, forwarding);
  const { forwards, keepsCopy } = targets;
  const what = { address, to: forwards?.length ?? 0, keepsCopy: keepsCopy ? "yes" : "no" } as const;
  await changeAccount(admin, { userId }, { act: "address.forward", ...what }, async (tx) => {
    if (!(await setForwards(tx, { address, userId, ...targets }))) throw new Refused({ type: "noAddress", text });
  });
  return { address, ...targets };
}

/** As many as a message may have recipients. */
const maxForwards = 1_000;

/** Refuses targets that do not exist here, so that a typing mistake loses no mail. */
async function targetsOf(
  { store }: Admin,
  address: string,
  { to, keepsCopy }: Forwarding,
): Promise<{ forwards: string[] | null; keepsCopy: boolean }> {
  const forwards = [...new Set(to.map(addressOf))];
  if (forwards.length > maxForwards) throw new Refused({ type: "tooManyForwards", limit: maxForwards });
  if (forwards.includes(address)) throw new Refused({ type: "forwardsToItself", address });
  if (forwards.length === 0 && !keepsCopy) throw new Refused({ type: "forwardsNowhere", address });
  if (forwards.length === 0) return { forwards: null, keepsCopy };
  const found = await findRecipients(store.database, forwards);
  const missing = forwards.find((_, at) => found[at] === undefined);
  if (missing !== undefined) throw new Refused({ type: "noAddress", text: missing });
  return { forwards, keepsCopy };
}

/** An address as operators see it; `login` is undefined while the account is being removed. */
export interface ListedAddress extends Pick<Entry, "address" | "isPaused" | "keepsCopy"> {
  login: string | undefined;
  forwards: string[];
  isMasked: boolean;
}
type Entry = Awaited<ReturnType<typeof listAll>>[number];

export async function listAddresses({ store }: Admin): Promise<ListedAddress[]> {
  const logins = new Map((await listAccounts(store.database)).map(({ userId, login }) => [userId, login]));
  return (await listAll(store.database)).map(({ userId, maskedId, forwards, ...rest }) => ({
    ...rest,
    login: logins.get(userId),
    forwards: forwards ?? [],
    isMasked: maskedId !== null,
  }));
}

/** Removes an alias, catch-all or masked address: mail for it is refused from now on. */
export async function removeAddress(admin: Admin, text: string): Promise<{ address: string }> {
  const address = normalizeAddress(text);
  const { database } = admin.store;
  if (address !== undefined && (await findLogin(database, address))) throw new Refused({ type: "ownAddress", address });
  const userId = address === undefined ? undefined : await findAddressOwner(database, address);
  if (address === undefined || userId === undefined) throw new Refused({ type: "noAddress", text });
  await changeAccount(admin, { userId }, { act: "address.remove", address }, async (tx) => {
    const masked = await findMaskedByEmail(tx, address);
    if (masked?.userId === userId) return removeMaskedAddresses(tx, [masked.id]);
    if (!(await removeAlias(tx, address, userId))) throw new Refused({ type: "noAddress", text });
  });
  return { address };
}
