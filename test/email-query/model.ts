import { words } from "../../src/search/words.ts";
import type { EmailPage, EmailQuery, EmailSort, EmailWindow } from "../../src/store/email-query/criteria.ts";
import type { Content, ModelEmail, Person } from "./world.ts";

/** A condition of the model. */
export type Matches = (email: ModelEmail, all: readonly ModelEmail[]) => boolean;

export const threadOf = (email: ModelEmail, all: readonly ModelEmail[]) =>
  all.filter((other) => other.threadId === email.threadId);

const known = new WeakMap<Content, Record<string, string[][]>>();

/** The words of an email, by field and person: no phrase spans two of them. */
export function wordsOf({ content }: ModelEmail, scope: string): string[][] {
  const fields = known.get(content) ?? fieldsOf(content);
  known.set(content, fields);
  return scope === "text" ? Object.values(fields).flat() : fields[scope]!;
}

function fieldsOf(content: Content): Record<string, string[][]> {
  const people = (list: Person[]) => list.map(({ name, email }) => words(`${name} ${email}`));
  return {
    from: people([content.from]),
    to: people(content.to),
    cc: people(content.cc),
    bcc: people(content.bcc),
    subject: [words(content.subject)],
    body: [words(content.body)],
    attachment: [words(content.attachment ?? "")],
  };
}

export function hasPhrase(fields: string[][], phrase: string[], open: boolean): boolean {
  const fits = (found: string | undefined, sought: string, last: boolean) =>
    found !== undefined && (open && last ? found.startsWith(sought) : found === sought);
  return fields.some((field) =>
    field.some((_, at) => phrase.every((word, nth) => fits(field[at + nth], word, nth === phrase.length - 1))),
  );
}

const compare = <T>(a: T, b: T) => (a < b ? -1 : a > b ? 1 : 0);
/** Order of UTF-8 bytes. */
const compareText = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

function textOf({ content }: ModelEmail, by: "from" | "to" | "subject"): string {
  if (by === "subject") return content.base;
  const first = by === "from" ? content.from : content.to[0];
  return first?.name || first?.email || "";
}

function compareBy(a: ModelEmail, b: ModelEmail, { by, collation }: EmailSort, all: readonly ModelEmail[]): number {
  const has = (email: ModelEmail, keyword: string) => email.keywords.includes(keyword);
  switch (by.kind) {
    case "receivedAt":
      return compare(a.receivedAt, b.receivedAt);
    case "sentAt":
      return compare(a.content.sentAt?.getTime() ?? -Infinity, b.content.sentAt?.getTime() ?? -Infinity);
    case "size":
      return compare(a.content.size, b.content.size);
    case "hasKeyword":
      return compare(has(a, by.keyword), has(b, by.keyword));
    case "allInThread":
      return compare(
        threadOf(a, all).every((one) => has(one, by.keyword)),
        threadOf(b, all).every((one) => has(one, by.keyword)),
      );
    case "someInThread":
      return compare(
        threadOf(a, all).some((one) => has(one, by.keyword)),
        threadOf(b, all).some((one) => has(one, by.keyword)),
      );
    default: {
      const [left, right] = [textOf(a, by.kind), textOf(b, by.kind)];
      if (collation === "i;ascii-numeric") return compare(numberOf(left), numberOf(right));
      const fold = (text: string) =>
        collation === "i;ascii-casemap"
          ? text.replace(/[a-z]/g, (letter) => letter.toUpperCase())
          : text.normalize("NFKD").toUpperCase();
      return compareText(fold(left), fold(right));
    }
  }
}

const numberOf = (text: string) => Number(/^[0-9]+/.exec(text)?.[0] ?? Number.POSITIVE_INFINITY);

/** All ids of the list, in order. */
export function modelList(
  all: readonly ModelEmail[],
  { sort, collapseThreads }: Pick<EmailQuery, "sort" | "collapseThreads">,
  matches: Matches,
): number[] {
  const newest: EmailSort = { by: { kind: "receivedAt" }, ascending: false, collation: undefined };
  const byDate = sort.find((key) => key.by.kind === "receivedAt");
  const keys = byDate ? sort : [...sort, newest];
  const sorted = all
    .filter((email) => matches(email, all))
    .sort((a, b) => {
      for (const key of keys) {
        const order = compareBy(a, b, key, all);
        if (order !== 0) return key.ascending ? order : -order;
      }
      return byDate?.ascending ? a.id - b.id : b.id - a.id;
    });
  const seen = new Set<number>();
  const kept = collapseThreads ? sorted.filter(({ threadId }) => !seen.has(threadId) && seen.add(threadId)) : sorted;
  return kept.map((email) => email.id);
}

export function modelPage(list: number[], window: EmailWindow, calculateTotal: boolean): EmailPage | "anchorNotFound" {
  let position: number;
  if ("anchor" in window) {
    const index = list.indexOf(window.anchor);
    if (index < 0) return "anchorNotFound";
    position = Math.max(index + window.anchorOffset, 0);
  } else position = window.position < 0 ? Math.max(list.length + window.position, 0) : window.position;
  const ids = list.slice(position, position + window.limit);
  return { ids, position, ...(calculateTotal && { total: list.length }) };
}
