import { ConnectionLost } from "../../shared/jmap/errors.ts";
import type { Identity } from "../../shared/jmap/types.ts";
import type { Account } from "../../shared/store/account.ts";

const itemOf = ({ id }: Account) => `posthorn.identities.${id}`;

/** Whom one can write as. Without a line, as it was last time; rejects as the call does if nothing is known. */
export async function identitiesOf(account: Account): Promise<Identity[]> {
  try {
    const { list } = await account.jmap.call("Identity/get", { accountId: account.id, ids: null });
    keep(account, list);
    return list;
  } catch (error) {
    const kept = localStorage.getItem(itemOf(account));
    if (!(error instanceof ConnectionLost) || kept === null) throw error;
    return JSON.parse(kept) as Identity[];
  }
}

function keep(account: Account, list: readonly Identity[]): void {
  try {
    localStorage.setItem(itemOf(account), JSON.stringify(list));
  } catch {
    // The storage is full.
  }
}
