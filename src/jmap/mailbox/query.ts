import { decodeId, idPrefix } from "../../base/ids.ts";
import { normalized } from "../../base/normalize.ts";
import { type Guest, loadMailboxes, type MailboxRow } from "../../store/mail/mailboxes.ts";
import type { Call } from "../method.ts";
import { bool, idOrReference, nullable, object, optional, text } from "../schema.ts";
import { compare, compareText } from "../standard/collation.ts";
import { compareBy, inMemoryQuery } from "../standard/memory-query.ts";
import type { Query, QueryHooks, SortKey } from "../standard/type.ts";

export type Criterion = (mailbox: MailboxRow) => boolean;
export type SortName = "sortOrder" | "name" | "parentId";

/** The login whose subscriptions a call sees and sets. */
export function guestOf({ login, accountId }: Call): Guest {
  return login.userId === accountId ? undefined : login.login;
}

function compareMailboxes({ by, collation }: SortKey<SortName>, a: MailboxRow, b: MailboxRow): number {
  if (by === "name") return compareText(a.name, b.name, collation);
  if (by === "parentId") return compare(a.parentId ?? 0, b.parentId ?? 0);
  return compare(a.sortOrder, b.sortOrder);
}

/** RFC 8621 §2.3: sorts the tree of all mailboxes, including those that the filter leaves out. */
function asTree(list: MailboxRow[], all: MailboxRow[], query: Query<Criterion, SortName>): MailboxRow[] {
  const { sortAsTree, filterAsTree } = query.args;
  if (sortAsTree !== true && filterAsTree !== true) return list;
  const admitted = new Set(list);
  const children = new Map<number | null, MailboxRow[]>();
  for (const mailbox of all) children.set(mailbox.parentId, [...(children.get(mailbox.parentId) ?? []), mailbox]);
  const tree: MailboxRow[] = [];
  const walk = (parent: number | null) => {
    const siblings = children.get(parent) ?? [];
    siblings.sort((a, b) => compareBy({ compare: compareMailboxes }, query.sort, a, b));
    for (const mailbox of siblings) {
      const isIn = admitted.has(mailbox);
      if (isIn) tree.push(mailbox);
      if (isIn || filterAsTree !== true) walk(mailbox.id);
    }
  };
  walk(null);
  if (sortAsTree === true) return tree;
  const kept = new Set(tree);
  return list.filter((mailbox) => kept.has(mailbox));
}

/** RFC 8621 §2.3, §2.4 */
export const mailboxQuery: QueryHooks<Criterion, SortName> = {
  args: object({ sortAsTree: optional(bool), filterAsTree: optional(bool) }),
  filters: {
    parentId: {
      schema: nullable(idOrReference),
      criterion(value: string | null, call) {
        const wireId = value?.startsWith("#") ? call.createdId(value.slice(1)) : value;
        const parentId = wireId === null ? null : decodeId(idPrefix.mailbox, wireId ?? "");
        return (mailbox) => mailbox.parentId === parentId;
      },
    },
    name: {
      schema: text,
      criterion(value: string) {
        const part = normalized(value, "NFC").toLowerCase();
        return (mailbox) => mailbox.name.toLowerCase().includes(part);
      },
    },
    role: { schema: nullable(text), criterion: (value: string | null) => (mailbox) => mailbox.role === value },
    hasAnyRole: { schema: bool, criterion: (value: boolean) => (mailbox) => (mailbox.role !== null) === value },
    isSubscribed: { schema: bool, criterion: (value: boolean) => (mailbox) => mailbox.isSubscribed === value },
  },
  sorts: {
    sortOrder: { by: () => "sortOrder" },
    name: { by: () => "name" },
    parentId: { by: () => "parentId" },
  },
  ...inMemoryQuery<MailboxRow, Criterion, SortName>({
    type: "Mailbox",
    load: (reader, call) => loadMailboxes(reader, { guest: guestOf(call) }),
    matches: (criterion, mailbox) => criterion(mailbox),
    compare: compareMailboxes,
    arrange: asTree,
    isEntangled: ({ args }) => args.sortAsTree === true || args.filterAsTree === true,
  }),
};
