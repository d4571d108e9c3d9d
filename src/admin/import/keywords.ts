/** RFC 8621 §4.1.1: the keywords of IMAP's flags. \Deleted and \Recent have none. */
const ofFlags: Record<string, string> = {
  "\\seen": "$seen",
  "\\answered": "$answered",
  "\\flagged": "$flagged",
  "\\draft": "$draft",
  forwarded: "$forwarded",
  junk: "$junk",
  notjunk: "$notjunk",
  nonjunk: "$notjunk",
  mdnsent: "$mdnsent",
};

const legal = /^[!#$&'+,\-./0-9:;<=>?@A-Z[^_`a-z|}~]{1,255}$/;

/** What a keyword may not contain becomes "_"; undefined for flags that are no keywords. */
export function keywordOf(flag: string): string | undefined {
  const lower = flag.toLowerCase();
  const known = ofFlags[lower];
  if (known !== undefined) return known;
  if (flag.startsWith("\\") || flag === "") return undefined;
  const keyword = lower.replace(/[^!#$&'+,\-./0-9:;<=>?@[^_`a-z|}~]/g, "_").slice(0, 255);
  return legal.test(keyword) && /[^_]/.test(keyword) ? keyword : undefined;
}

/** The keywords of these flags, each once. */
export function keywordsOf(flags: Iterable<string>): string[] {
  return [...new Set([...flags].flatMap((flag) => keywordOf(flag) ?? []))].sort();
}
