import { accountName } from "../../store/directory/account-name.ts";
import { type Admin, changeAccount } from "../admin.ts";
import { loginOf } from "../names.ts";
import { type Means, type Owner, writeArchive } from "./archive.ts";
import { type Written, writeMails } from "./mails.ts";
import type { Manifest } from "./manifest.ts";
import type { Source } from "./source.ts";

export type Format = "archive" | "mbox" | "maildir" | "jmap";

/** Whose account the address is. */
export async function ownerOf(admin: Admin, text: string): Promise<Owner> {
  const { login, userId } = await loginOf(admin, text);
  const [row] = await admin.store.database.run(accountName, { accountId: userId });
  return { accountId: userId, address: login, name: row?.name ?? login };
}

/** Records that an account is about to be read whole: an export that is broken off has read it, too. */
export function recordExport(admin: Admin, { accountId }: Owner, format: Format): Promise<void> {
  return changeAccount(admin, { userId: accountId }, { act: "account.export", format }, async () => {});
}

/** Writes the account to an archive (docs/archive-format.md). */
export async function exportArchive(admin: Admin, source: Source, text: string, means: Means): Promise<Manifest> {
  const owner = await ownerOf(admin, text);
  await recordExport(admin, owner, "archive");
  return writeArchive(source, owner, means);
}

/** Writes the account's mail by a writer of some format. */
export async function exportMails(
  admin: Admin,
  source: Source,
  text: string,
  { format, ...means }: { format: Format } & Parameters<typeof writeMails>[2],
): Promise<Written & { account: string }> {
  const owner = await ownerOf(admin, text);
  await recordExport(admin, owner, format);
  return { account: owner.address, ...(await writeMails(source, owner.accountId, means)) };
}
