/** Tables whose rows carry user_id (migrations/). */
const accountTables = [
  "account",
  "blob_ref",
  "change",
  "delivery",
  "email",
  "email_keyword",
  "email_mailbox",
  "identity",
  "known_network",
  "mailbox",
  "mailbox_subscription",
  "message",
  "received",
  "search",
  "submission",
  "thread_ref",
  "vacation",
  "vacation_answer",
];
const words = new Set(
  "on where set using as inner left right cross join from group order limit for returning and or values select union".split(
    " ",
  ),
);

/**
 * The account tables of a statement that have no `user_id = $n` of their own: a parameter for each reference, not an
 * equality with another table. One parameter serves several references of the same name only if it stands there as often.
 */
export function unboundTables(statement: string): string[] {
  const text = statement
    .replace(/--.*$/gm, " ")
    .replace(/'(?:[^']|'')*'/g, "''")
    .replace(/"/g, "")
    .replace(/\s+/g, " ");
  if (/^ ?INSERT INTO \w+ (AS \w+ )?\(user_id\b[^)]*\) VALUES/i.test(text)) return [];
  const references = new Map<string, string[]>();
  const pattern = new RegExp(
    `\\b(FROM|JOIN|UPDATE|USING|,) (${accountTables.join("|")})\\b(?=(?: (?:AS )?(\\w+))?)`,
    "gi",
  );
  for (const [, keyword, table, alias] of text.matchAll(pattern)) {
    // A comma may stand in a list of columns: only a table that gets an alias is meant.
    if (keyword === "," && (alias === undefined || words.has(alias.toLowerCase()))) continue;
    const name = alias === undefined || words.has(alias.toLowerCase()) ? table! : alias;
    references.set(name, [...(references.get(name) ?? []), table!]);
  }
  const bare = count(text, /(?<![.\w])user_id = (\$\d+|ANY)/g);
  return [...references]
    .filter(([name, tables]) => {
      const own = count(text, new RegExp(`\\b${name}\\.user_id = \\$\\d+`, "g"));
      const isAlias = !tables.includes(name);
      return own + (isAlias ? 0 : bare) < tables.length && !(bare > 0 && isAlias && references.size === 1);
    })
    .map(([name, tables]) => (tables.includes(name) ? name : `${tables[0]} ${name}`));
}

const count = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length;
