import { accountTables } from "./db.ts";

const words = new Set(
  "on where set using as inner left right cross join from group order limit for returning and or values select union".split(
    " ",
  ),
);

/** How the text of a statement that crosses accounts begins; `across()` adds it. */
export const crossing = "-- crosses accounts\n";

/** A statement's text on one line, without comments, contents of literals and quotes of names. */
export function bare(statement: string): string {
  return statement
    .replace(/'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\//g, (found) => (found.startsWith("'") ? "''" : " "))
    .replace(/"/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

/**
 * The account tables of a statement that lack a `user_id = $n` of their own. Each reference needs its own; equality with
 * another table's user_id does not count.
 */
export function unboundTables(statement: string): string[] {
  const text = bare(statement);
  const references = new Map<string, string[]>();
  const pattern = new RegExp(
    `\\b(FROM|JOIN|UPDATE|USING|,) (?:ONLY )?(${[...accountTables].join("|")})\\b(?=(?: (?:AS )?(\\w+))?)`,
    "gi",
  );
  for (const [, keyword, table, alias] of text.matchAll(pattern)) {
    // A comma may separate columns: only a name with an alias is taken for a table.
    if (keyword === "," && (alias === undefined || words.has(alias.toLowerCase()))) continue;
    const name = alias === undefined || words.has(alias.toLowerCase()) ? table! : alias;
    references.set(name, [...(references.get(name) ?? []), table!]);
  }
  const free = count(text, /(?<![.\w])user_id = \$\d+/g);
  const unbound = [...references]
    .filter(([name, tables]) => {
      const own = count(text, new RegExp(`\\b${name}\\.user_id = \\$\\d+`, "g"));
      const isAlias = !tables.includes(name);
      return own + (isAlias ? 0 : free) < tables.length && !(free > 0 && isAlias && references.size === 1);
    })
    .map(([name, tables]) => (tables.includes(name) ? name : `${tables[0]} ${name}`));
  return [...unbound, ...insertedWithout(text)];
}

/** Account tables whose inserted rows lack user_id as first column, or give it a value that is not a parameter. */
function insertedWithout(text: string): string[] {
  const inserts = text.matchAll(/\bINSERT INTO (\w+)(?: AS \w+)? ?(?:\(([^)]*)\))? ?(VALUES ?\(\s*(\$\d)?)?/gi);
  return [...inserts]
    .filter(([, table, columns = "", values, first]) => {
      if (!accountTables.has(table!)) return false;
      return !/^ ?user_id\b/.test(columns) || (values !== undefined && first === undefined);
    })
    .map(([, table]) => table!);
}

const count = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length;
