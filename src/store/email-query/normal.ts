import type { Criterion, EmailFilter, HeaderCriterion } from "./criteria.ts";
import type { Sought } from "./sought.ts";

/** A condition that SQL can test for one email. */
export type Atom =
  | Extract<
      Criterion,
      {
        kind:
          | "inMailbox"
          | "inMailboxOtherThan"
          | "before"
          | "minSize"
          | "hasKeyword"
          | "someInThread"
          | "authentication";
      }
    >
  | { kind: "someInThreadLacks"; keyword: string }
  | { kind: "hasAttachment" }
  | TermsAtom
  /** The messages that meet a condition on header fields. */
  | { kind: "messages"; nos: number[] }
  | HeaderCriterion;

/** A condition on words; `longMails` once it is known which of these meet it. */
export interface TermsAtom {
  kind: "terms";
  sought: Sought;
  longMails?: number[];
}

/** A filter with negation at its leaves only, constants folded and nested operators of one kind joined. */
export type Node = boolean | { all: Node[] } | { any: Node[] } | Literal;
export interface Literal {
  atom: Atom;
  negated: boolean;
}

export const isLiteral = (node: Node): node is Literal => typeof node === "object" && "atom" in node;

/** The filter as literals under "all" and "any". */
export function normalise(filter: EmailFilter | undefined): Node {
  return filter === undefined ? true : convert(filter, false);
}

/** The conditions that must all hold. Empty: everything matches; undefined: nothing does. */
export function conjuncts(node: Node): Node[] | undefined {
  if (node === false) return undefined;
  if (node === true) return [];
  return typeof node === "object" && "all" in node ? node.all : [node];
}

function convert(filter: EmailFilter, negated: boolean): Node {
  if ("criterion" in filter) return leaf(filter.criterion, negated);
  const { operator, conditions } = filter;
  // NOT means "none of": it negates an OR, so it joins like an AND of negations.
  const inner = (operator === "NOT") !== negated;
  const nodes = conditions.map((condition) => convert(condition, inner));
  return (operator === "OR") === negated ? all(nodes) : any(nodes);
}

const literal = (atom: Atom, negated: boolean): Literal => ({ atom, negated });

function leaf(criterion: Criterion, negated: boolean): Node {
  switch (criterion.kind) {
    case "always":
      return !negated;
    case "never":
      return negated;
    case "after":
      return literal({ kind: "before", at: criterion.at }, !negated);
    case "maxSize":
      return literal({ kind: "minSize", size: criterion.size }, !negated);
    case "notKeyword":
      return literal({ kind: "hasKeyword", keyword: criterion.keyword }, !negated);
    case "noneInThread":
      return literal({ kind: "someInThread", keyword: criterion.keyword }, !negated);
    case "allInThread": {
      // An email belongs to its thread, so it must have the keyword itself: that narrows the search.
      const { keyword } = criterion;
      const own = literal({ kind: "hasKeyword", keyword }, negated);
      const others = literal({ kind: "someInThreadLacks", keyword }, !negated);
      return negated ? others : all([own, others]);
    }
    case "hasAttachment":
      return literal({ kind: "hasAttachment" }, criterion.value === negated);
    case "terms":
      return literal({ kind: "terms", sought: criterion.sought }, criterion.negated !== negated);
    default:
      return literal(criterion, negated);
  }
}

export function all(nodes: readonly Node[]): Node {
  const flat = nodes.flatMap((node) => (typeof node === "object" && "all" in node ? node.all : [node]));
  const kept = joinTerms(
    flat.filter((node) => node !== true),
    "&",
  );
  if (kept.includes(false)) return false;
  return kept.length === 0 ? true : kept.length === 1 ? kept[0]! : { all: kept };
}

function any(nodes: readonly Node[]): Node {
  const flat = nodes.flatMap((node) => (typeof node === "object" && "any" in node ? node.any : [node]));
  const kept = joinTerms(
    flat.filter((node) => node !== false),
    "|",
  );
  if (kept.includes(true)) return true;
  return kept.length === 0 ? false : kept.length === 1 ? kept[0]! : { any: kept };
}

export type TermsLiteral = { atom: TermsAtom; negated: boolean };

export function isTerms(node: Node): node is TermsLiteral {
  return isLiteral(node) && node.atom.kind === "terms";
}

/**
 * Joins word conditions into one tsquery, so that the index is read once. The index cannot find mails by a word they lack.
 * If such mails may match, the result is a negated condition: its tsquery finds the mails that do not match.
 */
function joinTerms(nodes: Node[], operator: "&" | "|"): Node[] {
  const terms = nodes.filter(isTerms);
  if (terms.length < 2 || terms.some((one) => one.atom.longMails)) return nodes;
  const negated = operator === "&" ? terms.every((one) => one.negated) : terms.some((one) => one.negated);
  const parts = terms.map(({ atom, negated: own }) => (own === negated ? atom.sought : { not: atom.sought }));
  const sought = negated === (operator === "&") ? { any: parts } : { all: parts };
  return [...nodes.filter((node) => !isTerms(node)), literal({ kind: "terms", sought }, negated)];
}
