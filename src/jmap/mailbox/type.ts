import { decodeId, encodeId, idPrefix } from "../../base/ids.ts";
import { recountMailboxes } from "../../store/mail/counts.ts";
import { removeMailboxFromEmails } from "../../store/mail/emails.ts";
import {
  deleteMailboxes,
  insertMailboxes,
  loadMailboxes,
  type MailboxFields,
  type MailboxRow,
  updateMailboxes,
} from "../../store/mail/mailboxes.ts";
import { capabilities } from "../capability-names.ts";
import type { ReadCall } from "../method.ts";
import * as schema from "../schema.ts";
import type { DataType, JmapObject, QueryHooks, SetHooks, UpdateRecord } from "../standard/type.ts";
import { checkMailboxes, maxMailboxes } from "./check.ts";
import { type Criterion, guestOf, mailboxQuery, type SortName } from "./query.ts";

/** IANA's mailbox name attributes that name a mailbox's purpose. */
const roles = ["all", "archive", "drafts", "flagged", "important", "inbox", "junk", "memos", "scheduled", "sent"];
const role = schema.nullable(schema.oneOf(...roles, "snoozed", "subscribed", "trash"));
const sortOrder: schema.Schema<number> = { json: { type: "integer", minimum: 0, maximum: 2 ** 31 - 1 } };

const counts = ["totalEmails", "unreadEmails", "totalThreads", "unreadThreads"];
const count = { schema: schema.unsignedInt, serverSet: true } as const;

/** RFC 8621 §2 */
export const mailbox: DataType<Criterion, SortName> & { set: SetHooks; query: QueryHooks<Criterion, SortName> } = {
  name: "Mailbox",
  capability: capabilities.mail,
  prefix: idPrefix.mailbox,
  maxObjects: maxMailboxes,
  properties: {
    name: { schema: schema.text },
    parentId: { schema: schema.nullable(schema.id), default: null, references: "value" },
    role: { schema: role, default: null },
    sortOrder: { schema: sortOrder, default: 0 },
    isSubscribed: { schema: schema.bool, default: true },
    totalEmails: count,
    unreadEmails: count,
    totalThreads: count,
    unreadThreads: count,
    myRights: { schema: schema.anything, serverSet: true },
  },
  countProperties: counts,
  query: mailboxQuery,

  async fetch(ids, _want, call) {
    const rows = await loadMailboxes(call.reader, { ids, guest: guestOf(call) });
    return rows.map((row) => toObject(row, call));
  },

  set: {
    args: schema.object({ onDestroyRemoveEmails: schema.optional(schema.bool) }),
    needs: ["name", "parentId", "role", "sortOrder", "isSubscribed"],
    conflicts: { mailbox_role: ["role"], mailbox_sibling_name: ["name"] },
    check: checkMailboxes,

    async destroy(records, _batch, { tx }) {
      const ids = records.map(({ id }) => id);
      await removeMailboxFromEmails(tx, ids);
      await deleteMailboxes(tx, ids);
      if (records.some(({ before }) => before.role === "trash")) await recountMailboxes(tx);
    },

    async update(records, _batch, call) {
      const { tx } = call;
      await updateMailboxes(tx, records.map(toFields), guestOf(call));
      if (records.some(movesTrash)) await recountMailboxes(tx);
    },

    async create(records, _batch, call) {
      await insertMailboxes(call.tx, records.map(toFields), guestOf(call));
      for (const { response } of records) {
        for (const name of counts) response[name] = 0;
        response.myRights = rights(null, call);
      }
    },
  },
};

function movesTrash({ before, after, changed }: UpdateRecord): boolean {
  return changed.has("role") && (before.role === "trash" || after.role === "trash");
}

function toFields({ id, after }: { id: number; after: JmapObject }): MailboxFields {
  const { parentId } = after as { parentId: string | null };
  return {
    ...(after as unknown as MailboxFields),
    id,
    parentId: parentId === null ? null : decodeId(idPrefix.mailbox, parentId)!,
  };
}

function toObject(row: MailboxRow, call: ReadCall): JmapObject {
  const encode = (id: number) => encodeId(idPrefix.mailbox, id);
  return {
    ...row,
    id: encode(row.id),
    parentId: row.parentId === null ? null : encode(row.parentId),
    myRights: rights(row.role, call),
  };
}

/** A login that may write to the account has all rights, except to delete the inbox. */
function rights(role: string | null, { login, accountId }: ReadCall): JmapObject {
  const mayWrite = !login.accounts.find(({ id }) => id === accountId)?.isReadOnly;
  return {
    mayReadItems: true,
    mayAddItems: mayWrite,
    mayRemoveItems: mayWrite,
    maySetSeen: mayWrite,
    maySetKeywords: mayWrite,
    mayCreateChild: mayWrite,
    mayRename: mayWrite,
    mayDelete: mayWrite && role !== "inbox",
    maySubmit: mayWrite,
  };
}
