import { encodeId, idPrefix } from "../../base/ids.ts";
import { type DeletionsAfter, type ListedDeletion, listDeleted } from "../../store/mail/deleted-emails.ts";
import { capabilities } from "../capability-names.ts";
import { utcDateText } from "../dates.ts";
import { MethodError } from "../errors.ts";
import { readMethod } from "../method.ts";
import { id, nullable, object, optional, positiveInt, textUpTo } from "../schema.ts";
import { mustBeOwner } from "./own.ts";

const maxListed = 500;

/** Ours (docs/jmap.md): the emails of the account that were destroyed lately and can come back, the newest first. */
export const deletedEmailList = readMethod({
  name: "DeletedEmail/list",
  capability: capabilities.undelete,
  args: object({ accountId: id, limit: optional(nullable(positiveInt)), after: optional(nullable(textUpTo(50))) }),
  async run({ accountId, limit, after }, call) {
    mustBeOwner(call);
    const { clock, keepDeletedForMs } = call.services;
    const until = clock.now();
    const since = new Date(until.getTime() - keepDeletedForMs);
    const most = Math.min(limit ?? maxListed, maxListed);
    const page = { since, until, after: after == null ? undefined : decodePlace(after), limit: most + 1 };
    const rows = await listDeleted(call.reader, page);
    const list = rows.slice(0, most).map(toObject);
    const keptFor = Math.floor(keepDeletedForMs / 1000);
    return { response: { accountId, keptFor, list, next: rows.length > most ? encodePlace(rows[most - 1]!) : null } };
  },
});

function toObject({ id: number, from, subject, size, receivedAt, deletedAt, mailboxIds }: ListedDeletion) {
  return {
    id: encodeId(idPrefix.email, number),
    from: from === null ? null : JSON.parse(from),
    ...{ subject, size },
    receivedAt: utcDateText(receivedAt),
    deletedAt: utcDateText(deletedAt),
    mailboxIds: Object.fromEntries(mailboxIds.map((mailbox) => [encodeId(idPrefix.mailbox, mailbox), true])),
  };
}

const encodePlace = ({ deletedAt, id: number }: DeletionsAfter) => `${deletedAt.getTime()}-${number}`;

function decodePlace(text: string): DeletionsAfter {
  const [, time, number] = /^(\d{1,15})-(\d{1,15})$/.exec(text) ?? [];
  if (time === undefined) throw new MethodError("invalidArguments", "after: not a `next` of this server");
  return { deletedAt: new Date(Number(time)), id: Number(number) };
}
