import type { EmailWindow } from "./criteria.ts";
import { dateOrder, type EmailList } from "./list.ts";
import { isTerms } from "./normal.ts";
import { widestWindow } from "./search-windows.ts";
import { findPlace } from "./source.ts";
import { hasKeptTotal } from "./total.ts";

/** How a page is read; README.md has the table. */
export type Plan =
  /** Nothing of the list is wanted but perhaps its total. */
  | { kind: "count"; position: number }
  /** Along an index of the list's order, from its start. */
  | { kind: "walk"; position: number }
  /** Likewise, and each thread counts at its first email. */
  | { kind: "walkThreads"; position: number }
  /** From the end of a list with `total` emails. */
  | { kind: "walkBack"; position: number; total: number }
  /** Words are sought in the account's newest mails: a page, or word that these do not do. */
  | { kind: "windows"; position: number }
  /** The whole list is made, and every email numbered. `byPlace`: the words of each mail of the mailbox are looked at. */
  | { kind: "rank"; start: Start; byPlace: boolean }
  | Look;

/** Where a page of a ranked list starts. */
export type Start = { position: number } | { fromEnd: number } | { anchor: number; offset: number };

/** Finds what the choice depends on; then it is made anew. */
export type Look = { kind: "findAnchor"; anchor: number } | { kind: "readTotal" } | { kind: "measurePlace" };

/** What is known of the list so far. */
export interface Known {
  /** The anchor's. */
  index?: number;
  /** As it is kept with the mailbox. */
  total?: number;
  /** How many emails the mailbox has that the filter names. */
  inPlace?: number;
  /** The newest mails do not hold the page. */
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

/** Reading one mail's words costs as much as ten matches of the index. */
const smallPlace = 300;

/** A search in a mailbox of few emails had better look at these. */
function planSearch(position: number, { conditions }: EmailList, { inPlace }: Known): Plan {
  const place = findPlace(conditions);
  if (place && inPlace === undefined) return { kind: "measurePlace" };
  return { kind: "rank", start: { position }, byPlace: inPlace !== undefined && inPlace <= smallPlace };
}

/**
 * Whether words are to be sought in the newest mails first. A total that takes all matching emails to know has the page
 * with it; matches alone are counted by the index.
 */
function isWindowed({ choice, dropRepeats, sort }: EmailList, calculateTotal: boolean): boolean {
  const byTerms = choice.driver.kind === "terms";
  if (dateOrder(sort) !== "newest" || !(byTerms || choice.rest.some(isTerms))) return false;
  return !calculateTotal || (!dropRepeats && (!byTerms || choice.rest.length === 0));
}

/** Whether an email's index is how many stand before it by date, which an index can count. */
export function isCountable({ choice, dropRepeats, sort }: EmailList): boolean {
  return !dropRepeats && dateOrder(sort) !== undefined && choice.driver.kind !== "terms";
}
