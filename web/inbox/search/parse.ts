import type { Filter, FilterCondition, Id } from "../../shared/jmap/types.ts";

/** A mailbox, as far as a search names it. */
export interface NamedMailbox {
  id: Id;
  name: string;
  role: string | null;
  parentId: Id | null;
}

/** One condition of a search, as a chip that can be taken away. */
export interface Chip {
  /** An operator, or `text` for words without one. */
  kind: Operator | "text";
  /** As it is shown: "from: bob". */
  value: string;
  isNot: boolean;
  /** Where it stands in the text, so that it can be cut out. */
  start: number;
  end: number;
  /** Set when the operator's value means nothing: the words are then searched for as they are. */
  isUnknown?: true;
}

export interface ParsedSearch {
  chips: Chip[];
  /** Undefined when nothing is asked for. */
  filter: Filter | undefined;
}

export const operators = [
  "from",
  "to",
  "cc",
  "bcc",
  "subject",
  "body",
  "in",
  "is",
  "has",
  "before",
  "after",
  "larger",
  "smaller",
] as const;
export type Operator = (typeof operators)[number];

export interface SearchContext {
  mailboxes: readonly NamedMailbox[];
  /** For ages such as `7d`. */
  now: number;
}

interface Token {
  isNot: boolean;
  operator: Operator | undefined;
  /** Without quotation marks. */
  value: string;
  isQuoted: boolean;
  start: number;
  end: number;
}

/** -operator:"a phrase", or any of its parts; a phrase that is not closed goes on to the end. */
const token = /(-?)(?:([a-z]+):)?(?:"((?:[^"\\]|\\.)*)(?:"|$)|(\S*))\s*/gis;

export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const lead = /^\s*/.exec(text)![0].length;
  token.lastIndex = lead;
  for (let match = token.exec(text); match && match.index < text.length; match = token.exec(text)) {
    const [whole, dash, name, phrase, word] = match;
    if (whole === "") break;
    const operator = operators.find((one) => one === name?.toLowerCase());
    const rest = phrase === undefined ? word! : phrase.replace(/\\(.)/gs, "$1");
    tokens.push({
      isNot: dash === "-" && (operator !== undefined || rest !== ""),
      operator,
      value: operator || name === undefined ? rest : `${name}:${rest}`,
      isQuoted: phrase !== undefined,
      start: match.index,
      end: match.index + whole.trimEnd().length,
    });
  }
  return tokens;
}

/**
 * What a text asks for: `from: to: cc: bcc: subject: body: in: is: has: before: after: larger: smaller:`, each with `-` before it for
 * the opposite; other words anywhere in a mail, all of them, and "words side by side". Unless a mailbox is named, mail in Junk and
 * Trash alone is not found.
 */
export function parseSearch(text: string, context: SearchContext): ParsedSearch {
  const chips: Chip[] = [];
  const conditions: Filter[] = [];
  let isPlaceNamed = false;
  for (const token of tokensOf(text)) {
    if (token.value === "") continue;
    const { operator, value, isNot, start, end } = token;
    const meant = operator && conditionOf(operator, token, context);
    const condition = meant ?? { text: searched(token, operator) };
    if (operator === "in" && meant && !isNot) isPlaceNamed = true;
    chips.push({
      kind: operator ?? "text",
      value,
      isNot,
      start,
      end,
      ...(operator && !meant && { isUnknown: true as const }),
    });
    if (condition === "all") continue;
    conditions.push(isNot ? { operator: "NOT", conditions: [condition] } : condition);
  }
  if (chips.length === 0) return { chips, filter: undefined };
  const hidden = context.mailboxes.filter(({ role }) => role === "junk" || role === "trash").map(({ id }) => id);
  if (!isPlaceNamed && hidden.length > 0) conditions.push({ inMailboxOtherThan: hidden });
  if (conditions.length < 2) return { chips, filter: conditions[0] ?? {} };
  return { chips, filter: { operator: "AND", conditions } };
}

/** What the filter looks for in words: a phrase keeps its marks, and an operator that means nothing is a word. */
function searched({ value, isQuoted }: Token, operator?: Operator): string {
  const words = isQuoted ? `"${value.replace(/["\\]/g, "\\$&")}"` : value;
  return operator ? `${operator} ${words}` : words;
}

const keywords: Record<string, FilterCondition> = {
  unread: { notKeyword: "$seen" },
  read: { hasKeyword: "$seen" },
  flagged: { hasKeyword: "$flagged" },
  starred: { hasKeyword: "$flagged" },
  draft: { hasKeyword: "$draft" },
  answered: { hasKeyword: "$answered" },
  forwarded: { hasKeyword: "$forwarded" },
};
export const states = ["unread", "read", "flagged", "draft", "answered", "forwarded"] as const;

/** The condition, "all" for one that excludes nothing, or undefined for a value that means nothing. */
function conditionOf(operator: Operator, token: Token, context: SearchContext): FilterCondition | "all" | undefined {
  const value = token.value.trim();
  switch (operator) {
    case "from":
    case "to":
    case "cc":
    case "bcc":
    case "subject":
    case "body":
      return { [operator]: searched(token) };
    case "is":
      return keywords[value.toLowerCase()];
    case "has":
      return /^attachments?$/i.test(value) ? { hasAttachment: true } : undefined;
    case "in": {
      if (/^(?:anywhere|all)$/i.test(value)) return "all";
      const mailbox = mailboxNamed(value, context.mailboxes);
      return mailbox && { inMailbox: mailbox.id };
    }
    case "before":
    case "after": {
      const at = instantOf(value, context.now);
      return at === undefined ? undefined : { [operator]: new Date(at).toISOString().replace(/\.\d+Z$/, "Z") };
    }
    case "larger":
    case "smaller": {
      const size = sizeOf(value);
      if (size === undefined) return undefined;
      return operator === "larger" ? { minSize: size } : { maxSize: size };
    }
  }
}

/** By role, by name, or by a path of names; one whose name only begins so if there is no other. */
function mailboxNamed(value: string, mailboxes: readonly NamedMailbox[]): NamedMailbox | undefined {
  const wanted = value.toLowerCase();
  return (
    mailboxes.find(({ role }) => role === wanted) ??
    mailboxes.find((one) => pathOf(one, mailboxes).toLowerCase() === wanted) ??
    mailboxes.find(({ name }) => name.toLowerCase() === wanted) ??
    mailboxes.find(({ name }) => name.toLowerCase().startsWith(wanted))
  );
}

const maxDepth = 20;

/** "Work/Invoices" */
export function pathOf(mailbox: NamedMailbox, mailboxes: readonly NamedMailbox[]): string {
  const names = [mailbox.name];
  let { parentId } = mailbox;
  for (let depth = 0; parentId !== null && depth < maxDepth; depth++) {
    const parent = mailboxes.find(({ id }) => id === parentId);
    if (!parent) break;
    names.unshift(parent.name);
    parentId = parent.parentId;
  }
  return names.join("/");
}

/** Midnight, by the reader's clocks, of a day, month or year; or so many days, weeks, months or years ago. */
function instantOf(value: string, now: number): number | undefined {
  const [, count, unit] = /^(\d{1,4})([dwmy])$/i.exec(value) ?? [];
  if (count !== undefined && unit !== undefined) {
    const then = new Date(now);
    const amount = Number(count);
    if (unit.toLowerCase() === "d") then.setDate(then.getDate() - amount);
    if (unit.toLowerCase() === "w") then.setDate(then.getDate() - 7 * amount);
    if (unit.toLowerCase() === "m") then.setMonth(then.getMonth() - amount);
    if (unit.toLowerCase() === "y") then.setFullYear(then.getFullYear() - amount);
    return then.setHours(0, 0, 0, 0);
  }
  const named = ["today", "yesterday"].indexOf(value.toLowerCase());
  if (named >= 0) return new Date(now).setHours(named * -24, 0, 0, 0);
  const [, year, month = "1", day = "1"] =
    /^(\d{4})(?:[-/.](\d{1,2}))?(?:[-/.](\d{1,2}))?$/.exec(value) ?? germanDate(value);
  if (year === undefined) return undefined;
  const date = new Date(Number(year), Number(month) - 1, Number(day));
  const isReal = date.getMonth() === Number(month) - 1 && date.getDate() === Number(day);
  return isReal ? date.getTime() : undefined;
}

/** 31.12.2026 */
function germanDate(value: string): (string | undefined)[] {
  const [, day, month, year] = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(value) ?? [];
  return [value, year, month, day];
}

const factors: Record<string, number> = { "": 1, b: 1, k: 1e3, m: 1e6, g: 1e9 };

/** "5M", "1.5 MB", "300k": octets. */
function sizeOf(value: string): number | undefined {
  const [, amount, unit] = /^(\d{1,12}(?:[.,]\d{1,3})?)\s*([kmg]?)b?$/i.exec(value) ?? [];
  return amount === undefined
    ? undefined
    : Math.round(Number(amount.replace(",", ".")) * factors[unit!.toLowerCase()]!);
}

/** The same search for all words that begin as those without an operator do: `boiler kra` becomes `boiler* kra*`. */
export function withBeginnings(text: string): string {
  return tokensOf(text)
    .map(({ operator, value, isQuoted, isNot, start, end }) => {
      const word = text.slice(start, end);
      return operator === undefined && !isQuoted && !isNot && /[\p{L}\p{N}]$/u.test(value) ? `${word}*` : word;
    })
    .join(" ");
}

/** The text without one of its chips. */
export function without(text: string, { start, end }: Pick<Chip, "start" | "end">): string {
  return `${text.slice(0, start).trimEnd()} ${text.slice(end).trimStart()}`.trim();
}
