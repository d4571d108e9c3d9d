import { accountTables, replicatedTables } from "./db.ts";
import type { Statement } from "./sql.ts";
import { bare, crossing } from "./unbound-tables.ts";

/**
 * Where a statement may run: at the node of the account that this value names, counted from 0; at any node, if it reads
 * only what lies on all; or at the main server.
 */
export type Place = number | "anywhere" | "main";

const places = new WeakMap<object, Place>();

/** Read from the statement's text once. */
export function placeOf(statement: Pick<Statement<unknown, never>, "text" | "access">): Place {
  let place = places.get(statement);
  if (place === undefined) {
    place = read(statement);
    places.set(statement, place);
  }
  return place;
}

function read({ text, access }: Pick<Statement<unknown, never>, "text" | "access">): Place {
  if (text.startsWith(crossing)) return "main";
  const words = bare(text);
  const tables = [...words.matchAll(/\b(?:FROM|JOIN|UPDATE|INTO|USING) (?:ONLY )?(\w+)/gi)].map(([, name]) => name!);
  if (tables.some((table) => accountTables.has(table))) {
    const number = /\buser_id = \$(\d+)/.exec(words)?.[1] ?? insertedAccount(words);
    if (number !== undefined) return Number(number) - 1;
  }
  const isPlainRead = access === "read" && !/\bFOR (UPDATE|SHARE)\b/i.test(words);
  const isAnywhere = isPlainRead && tables.length > 0 && tables.every((table) => replicatedTables.has(table));
  return isAnywhere ? "anywhere" : "main";
}

/** The parameter that is the user_id of an inserted row. */
function insertedAccount(words: string): string | undefined {
  const [, columns = "", values = ""] = /\bINSERT INTO \w+ ?\(([^)]*)\) VALUES ?\(([^)]*)\)/i.exec(words) ?? [];
  const at = columns.split(",").findIndex((name) => name.trim() === "user_id");
  return /^ ?\$(\d+)$/.exec(values.split(",")[at] ?? "")?.[1];
}
