import type { EmailWindow } from "./criteria.ts";
import { dateOrder, type EmailList } from "./list.ts";
import { isTerms } from "./normal.ts";
import { widestWindow } from "./search-windows.ts";
import { findPlace } from "./source.ts";
import { hasKeptTotal } from "./total.ts";

/** How a page is read; README.md has the table. */
export type Plan =
  /** No emails are wanted, at most the total. */
  | { kind: "count"; position: number }
  /** Reads an index that has the list's order, from its start. */
  | { kind: "walk"; position: number }
  /** Likewise, keeping the first email of each thread. */
  | { kind: "walkThreads"; position: number }
  /** Reads the index from the end of a list of `total` emails. */
  | { kind: "walkBack"; position: number; total: number }
  /** Searches the account's newest mails, which may not suffice for the page. */
  | { kind: "windows"; position: number }
  /** Numbers the whole list. `byPlace`: tests each email of the mailbox for the words. */
  | { kind: "rank"; start: Start; byPlace: boolean }
  | Look;

/** Where a page of a ranked list starts. */
export type Start = { position: number } | { fromEnd: number } | { anchor: number; offset: number };

/** Reads a fact that the choice depends on; then the plan is chosen again. */
export type Look = { kind: "findAnchor"; anchor: number } | { kind: "readTotal" } | { kind: "measurePlace" };

/** The facts read so far. */
export interface Known {
  /** Index of the anchor. */
  index?: number;
  /** The count kept with the mailbox. */
  total?: number;
  /** How many emails are in the mailbox that the filter names. */
  inPlace?: number;
  /** The newest mails do not suffice for the page. */
  windowsAreShort?: true;
}

export interface Asked {
  window: EmailWindow;
  calculateTotal: boolean;
}

export function choosePlan(list: EmailList, asked: Asked, known: Known = {}): Plan {
  const { window } = asked;
  if ("anchor" in window) {
    const { anchor, anchorOffset: offset } = window;
    if (!isCountable(list)) return { kind: "rank", start: { anchor, offset }, byPlace: false };
    if (known.index === undefined) return { kind: "findAnchor", anchor };
    return planAt(Math.max(known.index + offset, 0), list, asked, known);
  }
  if (window.position >= 0) return planAt(window.position, list, asked, known);
  if (!hasKeptTotal(list)) return { kind: "rank", start: { fromEnd: window.position }, byPlace: false };
  const { total } = known;
  if (total === undefined) return { kind: "readTotal" };
  const position = Math.max(total + window.position, 0);
  if (list.dropRepeats || position < total / 2) return planAt(position, list, asked, known);
  return { kind: "walkBack", position, total };
}

function planAt(position: number, list: EmailList, asked: Asked, known: Known): Plan {
  const { limit } = asked.window;
  if (limit === 0) return { kind: "count", position };
  if (!known.windowsAreShort && position + limit <= widestWindow && isWindowed(list, asked.calculateTotal)) {
    return { kind: "windows", position };
  }
  if (list.choice.driver.kind === "terms") return planSearch(position, list, known);
  return { kind: list.dropRepeats ? "walkThreads" : "walk", position };
}

/** In emails. Testing one email for words costs as much as ten matches of the word index. */
const smallPlace = 300;

/** In a small mailbox, testing each email is cheaper than the word index. */
function planSearch(position: number, { conditions }: EmailList, { inPlace }: Known): Plan {
  const place = findPlace(conditions);
  if (place && inPlace === undefined) return { kind: "measurePlace" };
  return { kind: "rank", start: { position }, byPlace: inPlace !== undefined && inPlace <= smallPlace };
}

/**
 * Whether to search the newest mails first. Not if the total needs all matching emails anyway, since these include the
 * page; where the index alone counts the matches, it does not.
 */
function isWindowed({ choice, dropRepeats, sort }: EmailList, calculateTotal: boolean): boolean {
  const byTerms = choice.driver.kind === "terms";
  if (dateOrder(sort) !== "newest" || !(byTerms || choice.rest.some(isTerms))) return false;
  return !calculateTotal || (!dropRepeats && (!byTerms || choice.rest.length === 0));
}

/** Whether the index of an email can be counted, as the emails before it by date. */
export function isCountable({ choice, dropRepeats, sort }: EmailList): boolean {
  return !dropRepeats && dateOrder(sort) !== undefined && choice.driver.kind !== "terms";
}
