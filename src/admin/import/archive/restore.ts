import type { Ingest } from "../../../mail/deliver/ingest.ts";
import type { Blobs } from "../../../store/blobs/blobs.ts";
import type { Tx } from "../../../store/core/store.ts";
import { findMailboxes } from "../../../store/mail/mailbox-places.ts";
import { areUntouched, createDefaultMailboxes, loadMailboxes } from "../../../store/mail/mailboxes.ts";
import { type Admin, changeAccount } from "../../admin.ts";
import { objectsName } from "../../export/manifest.ts";
import { type Archive, linesOf } from "../../export/open-archive.ts";
import { loginOf } from "../../names.ts";
import { parseObject, toMailbox } from "./archived.ts";
import { EmailImport } from "./emails.ts";
import { restoreMailboxes } from "./mailboxes.ts";
import { type LeftOut, restoreIdentities, restoreMasks, restoreVacation } from "./settings.ts";
import { importSubmissions } from "./submissions.ts";

export interface ArchiveImport {
  login: string;
  emails: { added: number; present: number };
  submissions: { added: number; present: number };
  /** Emails whose message the archive lacks or has damaged. */
  unreadable: { id: string; sha256: string }[];
  leftOut: LeftOut[];
}

export interface ImportMeans {
  blobs: Blobs;
  ingest: Ingest;
  tell: (text: string) => void;
}

/**
 * Puts an archive into an account. In one without mail, all becomes as it was in the archived account, but for the ids; in
 * another, it is added. Run again, also after a kill, it adds what is missing.
 */
export async function importArchive(
  admin: Admin,
  text: string,
  archive: Archive,
  { blobs, ingest, tell }: ImportMeans,
): Promise<ArchiveImport> {
  const { login, userId: accountId } = await loginOf(admin, text);
  const { store } = admin;
  const mailboxes = (await objects(archive, "Mailbox")).map(toMailbox);
  const identities = await objects(archive, "Identity");
  const masks = await objects(archive, "MaskedAddress");
  const [vacation] = await objects(archive, "VacationResponse");
  const begun = await changeAccount(
    admin,
    { userId: accountId },
    { act: "account.import", source: "archive" },
    async (tx) => {
      const map = await restoreMailboxes(tx, mailboxes, areUntouched(await loadMailboxes(tx)));
      const identityIds = await restoreIdentities(tx, identities);
      await restoreVacation(tx, vacation);
      const leftOut = await restoreMasks(tx, masks);
      const [firstId] = await tx.newIds(1);
      return { map, identityIds, leftOut, firstId: firstId!, inbox: await inboxOf(tx) };
    },
  );
  const { map, firstId, inbox } = begun;
  const emails = new EmailImport(archive, { store, blobs, ingest, accountId, firstId, mailboxes: map, inbox });
  const { count = 0 } = archive.manifest.objects.Email ?? {};
  await emails.run((done) => tell(`emails: ${done} of ${count}`));
  const sent = await importSubmissions(archive, {
    ...{ store, blobs, accountId, identities: begun.identityIds },
    emails: emails.emails,
    threads: emails.threads,
  });
  return {
    login,
    emails: { added: emails.added, present: emails.present },
    submissions: { added: sent.added, present: sent.present },
    unreadable: emails.unreadable,
    leftOut: [...begun.leftOut, ...sent.leftOut],
  };
}

/** Of the types that an account has few of. */
async function objects(archive: Archive, type: string) {
  const found: ReturnType<typeof parseObject>[] = [];
  for await (const line of linesOf(archive, objectsName(type))) found.push(parseObject(line));
  return found;
}

async function inboxOf(tx: Tx): Promise<number> {
  if ((await findMailboxes(tx)).length === 0) await createDefaultMailboxes(tx);
  const places = await findMailboxes(tx);
  return (places.find(({ role }) => role === "inbox") ?? places[0]!).id;
}
