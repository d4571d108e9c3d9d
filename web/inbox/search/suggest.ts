import { type NamedMailbox, type Operator, operators, pathOf, states, tokensOf } from "./parse.ts";

/** Somebody the reader has had mail from or written to. */
export interface Correspondent {
  name: string;
  email: string;
}

export interface Suggestion {
  kind: "operator" | "person" | "mailbox" | "state" | "date";
  /** What is shown: a name, a mailbox's path, an operator. */
  label: string;
  /** More about it, such as the address. */
  detail: string;
  /** The whole text of the search once it is taken. */
  text: string;
}

/** Values of `before:` and `after:` that need no calendar. */
const ages = ["yesterday", "7d", "1m", "1y"] as const;
export type Age = (typeof ages)[number];

interface Known {
  people: readonly Correspondent[];
  mailboxes: readonly NamedMailbox[];
}

const maxSuggestions = 8;
const maxPeople = 5;

/** What the word at the end of the text may become. */
export function suggest(text: string, { people, mailboxes }: Known): Suggestion[] {
  const last = /\s$/.test(text) ? undefined : tokensOf(text).at(-1);
  const before = last ? text.slice(0, last.start) : text;
  const dash = last?.isNot ? "-" : "";
  const take = (operator: Operator, value: string) => `${before}${dash}${operator}:${quoted(value)} `;
  if (!last || (last.operator === undefined && last.value === "")) return [];
  if (last.operator === undefined) {
    const word = last.value.toLowerCase();
    const begun = operators.filter((one) => one.startsWith(word) && word !== "");
    return [
      ...begun.map((one) => ({
        kind: "operator" as const,
        label: `${one}:`,
        detail: one,
        text: `${before}${dash}${one}:`,
      })),
      ...found(people, word).map((one) => person(one, take("from", one.email))),
    ].slice(0, maxSuggestions);
  }
  const { operator } = last;
  const begun = last.value.toLowerCase();
  switch (operator) {
    case "from":
    case "to":
    case "cc":
    case "bcc":
      return found(people, begun).map((one) => person(one, take(operator, one.email)));
    case "in":
      return mailboxes
        .map((one) => ({ one, path: pathOf(one, mailboxes) }))
        .filter(({ one, path }) => path.toLowerCase().includes(begun) || (one.role ?? "").startsWith(begun))
        .slice(0, maxSuggestions)
        .map(({ one, path }) => ({ kind: "mailbox", label: path, detail: one.role ?? "", text: take("in", path) }));
    case "is":
      return states
        .filter((one) => one.startsWith(begun))
        .map((one) => ({ kind: "state", label: one, detail: "is", text: take("is", one) }));
    case "has":
      return "attachment".startsWith(begun)
        ? [{ kind: "state", label: "attachment", detail: "has", text: take("has", "attachment") }]
        : [];
    case "before":
    case "after":
      return ages
        .filter((one) => one.startsWith(begun))
        .map((one) => ({ kind: "date", label: one, detail: `${operator}:${one}`, text: take(operator, one) }));
    default:
      return [];
  }
}

const person = ({ name, email }: Correspondent, text: string): Suggestion => ({
  kind: "person",
  label: name || email,
  detail: name ? email : "",
  text,
});

/** Those with a name or an address of which a word begins so. */
function found(people: readonly Correspondent[], begun: string): Correspondent[] {
  if (begun === "") return people.slice(0, maxPeople);
  const isHit = (text: string) =>
    text
      .toLowerCase()
      .split(/[\s@.,"'()<>]+/)
      .some((word) => word.startsWith(begun));
  return people
    .filter(({ name, email }) => isHit(name) || isHit(email) || email.toLowerCase().startsWith(begun))
    .slice(0, maxPeople);
}

const quoted = (value: string) => (/[\s"]/.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : value);
