import { type SearchScope, searchQuery } from "../../src/search/search-query.ts";
import { words } from "../../src/search/words.ts";
import type { Criterion, EmailFilter, EmailSort, EmailWindow } from "../../src/store/email-query/criteria.ts";
import { hasPhrase, type Matches, threadOf, wordsOf } from "./model.ts";
import type { Chance } from "./random.ts";
import { keywords, vocabulary, type World } from "./world.ts";

/** A filter and the model's condition for it. */
export interface Meaning {
  filter: EmailFilter;
  matches: Matches;
}

const scopes: SearchScope[] = ["text", "text", "from", "to", "cc", "bcc", "subject", "body"];
const start = Date.UTC(2026, 0, 1);

function leaf(criterion: Criterion, matches: Matches): Meaning {
  return { filter: { criterion }, matches };
}

type Maker = (world: World, chance: Chance) => Meaning;

const inMailbox: Maker = (world, chance) => {
  const mailboxId = chance.maybe(0.95) ? chance.pick(world.mailboxIds) : 999_999;
  return leaf({ kind: "inMailbox", mailboxId }, (email) => email.mailboxIds.includes(mailboxId));
};

const hasKeyword: Maker = (_, chance) => {
  const keyword = chance.pick(keywords);
  return chance.maybe()
    ? leaf({ kind: "hasKeyword", keyword }, (email) => email.keywords.includes(keyword))
    : leaf({ kind: "notKeyword", keyword }, (email) => !email.keywords.includes(keyword));
};

const unread: Maker = () =>
  leaf({ kind: "notKeyword", keyword: "$seen" }, (email) => !email.keywords.includes("$seen"));

const inThread: Maker = (_, chance) => {
  const keyword = chance.pick(keywords);
  const kind = chance.pick(["allInThread", "someInThread", "noneInThread"] as const);
  return leaf({ kind, keyword }, (email, all) => {
    const found = threadOf(email, all).map((one) => one.keywords.includes(keyword));
    return kind === "allInThread" ? !found.includes(false) : found.includes(true) === (kind === "someInThread");
  });
};

const terms: Maker = (world, chance) => {
  const scope = chance.pick(scopes);
  const tokens = Array.from({ length: chance.int(1, 2) }, () => token(chance));
  const found = searchQuery(tokens.map((one) => one.text).join(" "), scope, world.accountId);
  if (typeof found === "string") throw new Error("the vocabulary has words");
  return leaf({ kind: "terms", ...found }, (email) => {
    const fields = wordsOf(email, scope);
    return tokens.every((one) => hasPhrase(fields, one.words, one.open) !== one.negated);
  });
};

/** Texts that occur in messages of several rows. */
const longPhrases = [
  '"again again again"',
  '"again the"',
  '"the again"',
  "p3@crowd.example",
  "p259@crowd.example",
  '"example p4"',
];

function token(chance: Chance): { text: string; words: string[]; open: boolean; negated: boolean } {
  const word = chance.pick([...vocabulary, "anna", "stone", "山田", "pdf", "absent", "again"]);
  const negated = chance.maybe(0.15);
  const dash = negated ? "-" : "";
  const shape = chance.int(0, 3);
  if (shape === 0) return { text: `${dash}inv*`, words: ["inv"], open: true, negated };
  if (shape === 1) {
    const text = chance.pick(['"the meeting"', "'invoice of'", "anna@example.com", '"report.pdf"', ...longPhrases]);
    return { text: dash + text, words: words(text), open: false, negated };
  }
  return { text: dash + word, words: words(word), open: false, negated };
}

const header: Maker = (_, chance) => {
  const name = chance.pick(["x-priority", "List-Id", "X-Note", "Subject", "Absent", "X.*"]);
  const text = chance.maybe() ? chance.pick(["HIGH", "posthorn", "Ünï", "re: ", "zzz"]) : undefined;
  const readHeader = async () => undefined;
  return leaf({ kind: "header", name, text, readHeader }, ({ content }) => {
    const fields: [string, string][] = [...content.extra];
    if (content.subject !== "") fields.push(["Subject", content.subject]);
    return fields.some(
      ([found, value]) =>
        found.toLowerCase() === name.toLowerCase() &&
        (text === undefined || value.toLowerCase().includes(text.toLowerCase())),
    );
  });
};

const others: Maker = (world, chance) => {
  const at = new Date(start + chance.int(0, 60) * 1000);
  const size = chance.pick(world.emails).content.size;
  const some = chance.some(world.mailboxIds);
  const value = chance.maybe();
  return chance.pick([
    leaf({ kind: "inMailboxOtherThan", mailboxIds: some }, (e) => e.mailboxIds.some((id) => !some.includes(id))),
    leaf({ kind: "before", at }, (email) => email.receivedAt < at.getTime()),
    leaf({ kind: "after", at }, (email) => email.receivedAt >= at.getTime()),
    leaf({ kind: "minSize", size }, (email) => email.content.size >= size),
    leaf({ kind: "maxSize", size }, (email) => email.content.size < size),
    leaf({ kind: "hasAttachment", value }, ({ content }) => (content.attachment !== undefined) === value),
    leaf({ kind: "always" }, () => true),
    leaf({ kind: "never" }, () => false),
  ]);
};

function join(operator: "AND" | "OR" | "NOT", parts: Meaning[]): Meaning {
  return {
    filter: { operator, conditions: parts.map((part) => part.filter) },
    matches: (email, all) => {
      const found = parts.map((part) => part.matches(email, all));
      if (operator === "AND") return !found.includes(false);
      return found.includes(true) === (operator === "OR");
    },
  };
}

/** Filters with a strategy of their own are drawn often. */
export function randomFilter(world: World, depth = 3): Meaning | undefined {
  const { chance } = world;
  const shape = chance.int(0, 11);
  if (depth === 3) {
    if (shape === 0) return undefined;
    if (shape <= 2) return inMailbox(world, chance);
    if (shape === 3) return join("AND", [inMailbox(world, chance), unread(world, chance)]);
    if (shape === 4) return join("AND", [inMailbox(world, chance), hasKeyword(world, chance)]);
    if (shape === 5) return join("AND", [inMailbox(world, chance), terms(world, chance)]);
    if (shape === 6) return terms(world, chance);
  }
  if (depth === 0 || chance.maybe(0.35)) {
    return chance.pick([inMailbox, hasKeyword, inThread, terms, header, others, others])(world, chance);
  }
  const parts = Array.from({ length: chance.int(0, 3) }, () => randomFilter(world, depth - 1)!);
  return join(chance.pick(["AND", "OR", "NOT"]), parts);
}

const collations = [undefined, undefined, "i;unicode-casemap", "i;ascii-casemap", "i;ascii-numeric"];

export function randomSort(chance: Chance): EmailSort[] {
  if (chance.maybe(0.4)) return chance.maybe(0.3) ? [] : [date(chance.maybe(0.3))];
  return Array.from({ length: chance.int(1, 3) }, () => {
    const kind = chance.pick(["receivedAt", "sentAt", "size", "from", "to", "subject"] as const);
    const byKeyword = chance.pick(["hasKeyword", "allInThread", "someInThread"] as const);
    const by = chance.maybe(0.3) ? { kind: byKeyword, keyword: chance.pick(keywords) } : { kind };
    return { by, ascending: chance.maybe(), collation: chance.pick(collations) };
  });
}

const date = (ascending: boolean): EmailSort => ({ by: { kind: "receivedAt" }, ascending, collation: undefined });

export function randomWindow(chance: Chance, list: number[], world: World): EmailWindow {
  const limit = chance.pick([0, 1, 3, 10, 30, 5000]);
  const size = list.length;
  if (chance.maybe(0.3)) {
    const anchor = size > 0 && chance.maybe(0.8) ? chance.pick(list) : chance.pick(world.emails).id;
    return { anchor, anchorOffset: chance.int(-5, 5), limit };
  }
  return { position: chance.maybe(0.3) ? -chance.int(1, size + 3) : chance.int(0, size + 3), limit };
}
