import type { EmailRecord } from "./email-record.ts";

/** RFC 8620 §5.3, of the two maps that lists show: "keywords/$seen" → true, or null to take it away. */
export type Patch = Record<string, true | null>;

/** A record as it will be. */
export function patched<T extends Pick<EmailRecord, "id" | "keywords" | "mailboxIds">>(record: T, patch: Patch): T {
  const changed = { ...record };
  for (const [path, value] of Object.entries(patch)) {
    const [map, key] = split(path);
    const before = changed[map];
    if (!before) continue;
    const { [key]: _, ...others } = before;
    changed[map] = value === null ? others : { ...others, [key]: true as const };
  }
  return changed;
}

/** What takes a patch back, as far as it would change the record. */
export function reverseOf(record: Pick<EmailRecord, "keywords" | "mailboxIds">, patch: Patch): Patch {
  const reverse: Patch = {};
  for (const [path, value] of Object.entries(patch)) {
    const [map, key] = split(path);
    const had = record[map]?.[key] === true;
    if (had !== (value === true)) reverse[path] = had ? true : null;
  }
  return reverse;
}

function split(path: string): ["keywords" | "mailboxIds", string] {
  const at = path.indexOf("/");
  const key = path
    .slice(at + 1)
    .replaceAll("~1", "/")
    .replaceAll("~0", "~");
  return [path.slice(0, at) as "keywords" | "mailboxIds", key];
}

/** RFC 6901 §3 */
export const pathOf = (map: "keywords" | "mailboxIds", key: string): string =>
  `${map}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
