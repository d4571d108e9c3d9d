import { expect, test } from "vitest";
import type { Criterion, EmailFilter, EmailSort, EmailWindow } from "./criteria.ts";
import { createList } from "./list.ts";
import { conjuncts, normalise } from "./normal.ts";
import { choosePlan, type Known, type Plan } from "./plan.ts";

const all = (...criteria: Criterion[]): EmailFilter => ({
  operator: "AND",
  conditions: criteria.map((criterion) => ({ criterion })),
});
const inbox: Criterion = { kind: "inMailbox", mailboxId: 3 };
const unread: Criterion = { kind: "notKeyword", keyword: "$seen" };
const noDraft: Criterion = { kind: "notKeyword", keyword: "$draft" };
const flagged: Criterion = { kind: "hasKeyword", keyword: "$flagged" };
const word: Criterion = { kind: "terms", sought: { phrase: "'0007wa'" }, negated: false };
const noWord: Criterion = { ...word, negated: true };
const by = (kind: "receivedAt" | "size", ascending: boolean): EmailSort => ({
  by: { kind },
  ascending,
  collation: undefined,
});
const oldest = [by("receivedAt", true)];
const largest = [by("size", false)];
const at = (position: number, limit = 30): EmailWindow => ({ position, limit });
const around: EmailWindow = { anchor: 9, anchorOffset: -2, limit: 30 };

interface Case {
  filter?: EmailFilter;
  sort?: EmailSort[];
  collapse?: true;
  total?: true;
  window?: EmailWindow;
  known?: Known;
}

const walk: Plan = { kind: "walk", position: 0 };
const windows: Plan = { kind: "windows", position: 0 };
const rank = (start: Extract<Plan, { kind: "rank" }>["start"], byPlace = false): Plan => ({
  kind: "rank",
  start,
  byPlace,
});

test.each<[string, Case, Plan]>([
  ["no limit at all", { window: at(5, 0), filter: all(word), total: true }, { kind: "count", position: 5 }],

  ["all emails", {}, walk],
  ["a mailbox, further down", { filter: all(inbox), window: at(60) }, { kind: "walk", position: 60 }],
  ["a mailbox, by size", { filter: all(inbox), sort: largest }, walk],
  ["a mailbox, collapsed: its heads", { filter: all(inbox), collapse: true, total: true }, walk],
  [
    "heads are no help for the oldest",
    { filter: all(inbox), sort: oldest, collapse: true },
    { ...walk, kind: "walkThreads" },
  ],
  ["a keyword, collapsed", { filter: all(inbox, flagged), collapse: true }, { ...walk, kind: "walkThreads" }],

  ["a word", { filter: all(word) }, windows],
  ["a word, collapsed", { filter: all(inbox, word), collapse: true }, windows],
  ["a word with its total, which the index counts", { filter: all(word), total: true }, windows],
  [
    "a total that takes all emails to know has the page too",
    { filter: all(word, flagged), total: true },
    rank({ position: 0 }),
  ],
  ["likewise of threads", { filter: all(word), collapse: true, total: true }, rank({ position: 0 })],
  ["a word, the oldest first", { filter: all(word), sort: oldest }, rank({ position: 0 })],
  ["the last page of the widest window", { filter: all(word), window: at(1970) }, { ...windows, position: 1970 }],
  ["a page beyond all windows", { filter: all(word), window: at(1971) }, rank({ position: 1971 })],
  ["a word that the windows lack", { filter: all(word), known: { windowsAreShort: true } }, rank({ position: 0 })],
  [
    "likewise in a mailbox of unknown size",
    { filter: all(inbox, word), known: { windowsAreShort: true } },
    { kind: "measurePlace" },
  ],
  [
    "likewise in a small one",
    { filter: all(inbox, word), known: { windowsAreShort: true, inPlace: 300 } },
    rank({ position: 0 }, true),
  ],
  [
    "likewise in a large one",
    { filter: all(inbox, word), known: { windowsAreShort: true, inPlace: 301 } },
    rank({ position: 0 }),
  ],
  ["without a word", { filter: all(inbox, noWord) }, windows],
  [
    "without a word that most newest mails have",
    { filter: all(inbox, noWord), known: { windowsAreShort: true } },
    walk,
  ],
  [
    "without a word, collapsed",
    { filter: all(noWord), collapse: true, known: { windowsAreShort: true } },
    { ...walk, kind: "walkThreads" },
  ],

  ["an anchor", { filter: all(inbox), window: around }, { kind: "findAnchor", anchor: 9 }],
  ["an anchor that was found", { window: around, known: { index: 60 } }, { kind: "walk", position: 58 }],
  ["an anchor near the start", { window: around, known: { index: 1 } }, walk],
  ["an anchor among mails without a word", { filter: all(noWord), window: around, known: { index: 2 } }, windows],
  ["an anchor by size", { sort: largest, window: around }, rank({ anchor: 9, offset: -2 })],
  [
    "an anchor among threads",
    { filter: all(flagged), collapse: true, window: around },
    rank({ anchor: 9, offset: -2 }),
  ],
  ["an anchor of a search", { filter: all(word), window: around }, rank({ anchor: 9, offset: -2 })],

  ["the end of a mailbox", { filter: all(inbox), window: at(-40) }, { kind: "readTotal" }],
  [
    "its total is known",
    { filter: all(inbox), window: at(-40), known: { total: 90 } },
    { kind: "walkBack", position: 50, total: 90 },
  ],
  [
    "nearer to the start",
    { filter: all(inbox), window: at(-50), known: { total: 90 } },
    { kind: "walk", position: 40 },
  ],
  ["before the start", { filter: all(inbox), window: at(-50), known: { total: 20 } }, walk],
  [
    "threads, oldest first, are not walked back",
    { filter: all(inbox), sort: oldest, collapse: true, window: at(-40), known: { total: 90 } },
    { kind: "walkThreads", position: 50 },
  ],
  [
    "the end of the unread that are counted",
    { filter: all(inbox, unread, noDraft), window: at(-5) },
    { kind: "readTotal" },
  ],
  ["the end of what nobody counts", { filter: all(flagged), window: at(-5) }, rank({ fromEnd: -5 })],
])("%s", (_, { filter, sort = [], collapse = false, total = false, window = at(0), known }, plan) => {
  const conditions = conjuncts(normalise(filter))!;
  const list = createList(conditions, { sort, collapseThreads: collapse });
  expect(choosePlan(list, { window, calculateTotal: total }, known)).toEqual(plan);
});
