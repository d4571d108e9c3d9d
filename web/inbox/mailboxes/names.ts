import { t } from "../../messages/mailboxes.ts";
import type { IconName } from "../../shared/icons.tsx";
import type { Id, Mailbox } from "../../shared/jmap/types.ts";

const roles = {
  inbox: "inbox",
  drafts: "draft",
  scheduled: "clock",
  sent: "send",
  archive: "archive",
  important: "tag",
  junk: "junk",
  trash: "trash",
} as const satisfies Record<string, IconName>;
type KnownRole = keyof typeof roles;
const order = Object.keys(roles);

const isKnown = (role: string | null): role is KnownRole => role !== null && role in roles;

/** Those with a role have a name in the reader's language. */
export function mailboxName({ role, name }: Pick<Mailbox, "role" | "name">): string {
  return isKnown(role) ? t(role) : name;
}

export function mailboxIcon({ role }: Pick<Mailbox, "role">): IconName {
  return isKnown(role) ? roles[role] : "folder";
}

export interface Branch {
  mailbox: Mailbox;
  depth: number;
  hasChildren: boolean;
}

/** As a sidebar shows them: by role, then as the account sorts them; each followed by those inside. */
export function inOrder(mailboxes: ReadonlyMap<Id, Mailbox>, isOpen: (id: Id) => boolean = () => true): Branch[] {
  const children = Map.groupBy(mailboxes.values(), ({ parentId }) =>
    parentId && mailboxes.has(parentId) ? parentId : "",
  );
  const branches: Branch[] = [];
  const walk = (parentId: Id, depth: number) => {
    for (const mailbox of (children.get(parentId) ?? []).toSorted(compare)) {
      branches.push({ mailbox, depth, hasChildren: children.has(mailbox.id) });
      if (isOpen(mailbox.id)) walk(mailbox.id, depth + 1);
    }
  };
  walk("", 0);
  return branches;
}

const rank = ({ role }: Mailbox) => (isKnown(role) ? order.indexOf(role) : order.length);

function compare(one: Mailbox, other: Mailbox): number {
  return rank(one) - rank(other) || one.sortOrder - other.sortOrder || one.name.localeCompare(other.name);
}

/** How it stands in an address of the page. */
export const routeKey = ({ role, id }: Mailbox): string => role ?? id;
