import { createMaskedAddresses, maskedDomain, maxMaskedAddresses } from "../mail/masked/create.ts";
import {
  countMaskedAddresses,
  findMaskedAddresses,
  findMaskedByEmail,
  type MaskedAddress,
  updateMaskedAddresses,
} from "../store/directory/masked-addresses.ts";
import { type Admin, changeAccount } from "./admin.ts";
import { holdDomain } from "./domains.ts";
import { addressOf, labelOf, loginOf } from "./names.ts";
import { Refused } from "./refused.ts";

/** Makes an address for the account to give away. Returns it. */
export async function maskAddress(admin: Admin, account: string, labelText: string): Promise<string> {
  const { login, userId } = await loginOf(admin, account);
  const label = labelOf(labelText);
  const domain = maskedDomain(login);
  return changeAccount(admin, { userId }, { act: "mask.add" }, async (tx) => {
    await holdDomain(tx, domain);
    if ((await countMaskedAddresses(tx)) >= maxMaskedAddresses) {
      throw new Refused({ type: "tooManyMasks", limit: maxMaskedAddresses });
    }
    const [id] = await tx.newIds(1);
    const wanted = [{ id: id!, label, state: "enabled" as const }];
    const [made] = await createMaskedAddresses(tx, wanted, { domain, random: admin.random });
    return made!.email;
  });
}

/** The account's masked addresses, in the order in which they were made. */
export async function listMaskedAddresses(admin: Pick<Admin, "store">, account: string): Promise<MaskedAddress[]> {
  const { userId } = await loginOf(admin, account);
  return findMaskedAddresses(admin.store.reader(userId, "server"), null, maxMaskedAddresses);
}

/** Has mail for a masked address refused, or let in again. Returns the address as it is kept. */
export async function pauseMaskedAddress(admin: Admin, text: string, isPaused: boolean): Promise<string> {
  const address = addressOf(text);
  const found = await findMaskedByEmail(admin.store.database, address);
  if (!found) throw new Refused({ type: "notMasked", address });
  const { userId, id } = found;
  await changeAccount(admin, { userId }, { act: isPaused ? "mask.pause" : "mask.resume", address }, async (tx) => {
    const [row] = await findMaskedAddresses(tx, [id], 1);
    if (!row) throw new Refused({ type: "notMasked", address });
    await updateMaskedAddresses(tx, [{ id, label: row.label, state: isPaused ? "disabled" : "enabled" }]);
  });
  return address;
}
