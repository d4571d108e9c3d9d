import { sql } from "kysely";
import { constant, type Fragment } from "../core/compose.ts";
import { hasKeyword, someInThread, someInThreadLacks } from "./condition.ts";
import type { EmailSort } from "./criteria.ts";
import type { Source } from "./source.ts";

/** One key of an ORDER BY. */
export interface OrderKey {
  expression: Fragment;
  ascending: boolean;
}

/**
 * The keys of a sort, without the id that breaks ties. Where a sort does not name the date, the newest comes first; ids
 * follow the direction of the dates, as in the indexes.
 */
export function orderKeys(sort: readonly EmailSort[], source: Source): OrderKey[] {
  const keys = sort.map((key) => ({ expression: expression(key, source), ascending: key.ascending }));
  return sort.some(isDate) ? keys : [...keys, { expression: source.receivedAt, ascending: false }];
}

const isDate = (key: EmailSort) => key.by.kind === "receivedAt";

/** Whether the id that breaks ties ascends. */
export function idAscending(sort: readonly EmailSort[]): boolean {
  return sort.find(isDate)?.ascending ?? false;
}

function expression({ by, collation }: EmailSort, source: Source): Fragment {
  switch (by.kind) {
    case "receivedAt":
      return source.receivedAt;
    case "size":
      return source.email("size");
    case "sentAt":
      // An email without a date counts as the oldest.
      return sql`coalesce(${source.email("sent_at")}, '-infinity')`;
    case "hasKeyword":
      return hasKeyword(by.keyword, source);
    case "someInThread":
      return someInThread(by.keyword, source);
    case "allInThread":
      return sql`NOT ${someInThreadLacks(by.keyword, source)}`;
    default:
      return textKey(by.kind, collation, source);
  }
}

const lower = "abcdefghijklmnopqrstuvwxyz";
const toUpper = constant(`'${lower}', '${lower.toUpperCase()}'`);

/** RFC 4790 §9. i;ascii-numeric compares the number that the text starts with; texts without one come last. */
function textKey(by: "from" | "to" | "subject", collation: string | undefined, source: Source): Fragment {
  const text = collation === "i;ascii-numeric" || collation === "i;ascii-casemap" ? plainText(by, source) : undefined;
  if (text === undefined) return source.message(`${by}_key`);
  return collation === "i;ascii-numeric"
    ? sql`coalesce(substring(${text} FROM '^[0-9]+')::numeric, 'infinity')`
    : sql`(left(translate(${text}, ${toUpper}), 200) COLLATE "C")`;
}

/**
 * The text before it was folded: of addresses, from their list. Of a subject only the folded key has the prefixes removed,
 * so beyond ASCII a subject sorts by i;unicode-casemap.
 */
function plainText(by: "from" | "to" | "subject", source: Source): Fragment {
  if (by === "subject") return source.message("subject_key");
  const first = sql`(${source.message(`"${by}"`)}::json -> 0)`;
  return sql`coalesce(nullif(${first} ->> 'name', ''), ${first} ->> 'email', '')`;
}
