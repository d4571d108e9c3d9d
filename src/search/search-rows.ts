import { RepeatedWindows } from "./repeated-windows.ts";

/**
 * A phrase of a query has at most this many words. Rows overlap by one word less, so that some row holds the whole
 * phrase.
 */
export const maxPhrase = 100;

/** Stands for the account's prefix and the quote before it. */
export const prefixMark = "\x01";

/** Postgres supports positions up to 16,383, and 255 positions per term; a vector may have 1 MB and is read whole. */
const maxPosition = 10_000;
const maxUses = 255;
const maxOctets = 500_000;
/** Between texts, so that no phrase spans two of them. */
const gap = 5;

/** The word at one position. */
interface Entry {
  plain: string;
  /** The same word as a term of its header field, with the field's letter. */
  named: string | undefined;
  weight: "A" | "B" | "";
  /** A gap precedes it. */
  isFirst: boolean;
}

interface Uses {
  count: number;
  positions: string;
}

/** Splits the terms of one message into rows that each fit into a tsvector and together contain every phrase. */
export class SearchRows {
  readonly #rows: string[] = [];
  #terms = new Map<string, Uses>();
  #octets = 0;
  #position = 0;
  /** The number of uses of the row's most frequent term. */
  #mostUses = 0;
  #isFirst = false;
  /** The latest positions of the row, with which the next row begins. */
  readonly #written = new Latest<Entry>(maxPhrase - 1);
  /** The latest words of the text, written or not. Used only for a message of several rows. */
  readonly #seen = new Latest<Entry>(maxPhrase);
  /** How many of the latest words were left out, since every phrase that ends with one of them is already indexed. */
  #left = 0;
  /** Used only for a message of several rows. */
  #windows: RepeatedWindows | undefined;

  /** Adds a word. `named`: the term for a word of a header field, so that it is also found by field. */
  add(plain: string, named: string | undefined, weight: "A" | "B" | ""): void {
    const entry: Entry = { plain, named, weight, isFirst: this.#isFirst };
    this.#isFirst = false;
    if (this.#windows) {
      this.#seen.add(entry);
      if (this.#windows.isRepeated(named ?? plain)) {
        this.#left++;
        return;
      }
      if (this.#left > 0) this.#catchUp();
    }
    this.#write(entry);
  }

  /** Ends the text; words added later belong to another one. */
  part(): void {
    this.#isFirst = true;
    this.#left = 0;
    this.#windows?.restart();
  }

  finish(): string[] {
    if (this.#terms.size > 0 || this.#rows.length === 0) this.#close();
    return this.#rows;
  }

  /** Writes the words left out before a new word, so that the new word follows them. */
  #catchUp(): void {
    const before = this.#seen.last(Math.min(this.#left + 1, maxPhrase)).slice(0, -1);
    const isApart = this.#left >= maxPhrase;
    for (const [index, entry] of before.entries()) {
      this.#write(isApart && index === 0 ? { ...entry, isFirst: true } : entry);
    }
    this.#left = 0;
  }

  #write(entry: Entry): void {
    if (this.#isFull(entry)) {
      this.#close();
      for (const earlier of this.#written.last(maxPhrase - 1)) this.#put(earlier);
      this.#windows ??= new RepeatedWindows(maxPhrase);
    }
    this.#put(entry);
    this.#written.add(entry);
  }

  #isFull({ plain, named }: Entry): boolean {
    if (this.#position >= maxPosition || this.#octets >= maxOctets) return true;
    // In most messages no term is used this often, so no term needs to be looked up.
    if (this.#mostUses < maxUses) return false;
    const uses = (term: string | undefined) => (term === undefined ? 0 : (this.#terms.get(term)?.count ?? 0));
    return uses(plain) >= maxUses || uses(named) >= maxUses;
  }

  #put({ plain, named, weight, isFirst }: Entry): void {
    this.#position += isFirst ? 1 + gap : 1;
    const at = `${this.#position}${weight}`;
    this.#use(plain, at);
    if (named !== undefined) this.#use(named, at);
  }

  #use(term: string, at: string): void {
    const known = this.#terms.get(term);
    if (known) {
      this.#octets += 2;
      known.positions += `,${at}`;
      if (++known.count > this.#mostUses) this.#mostUses = known.count;
    } else {
      this.#octets += Buffer.byteLength(term) + 14;
      this.#terms.set(term, { count: 1, positions: at });
    }
  }

  #close(): void {
    let row = "";
    for (const [term, { positions }] of this.#terms) row += `${prefixMark}${term}':${positions} `;
    this.#rows.push(row);
    this.#terms = new Map();
    this.#octets = 0;
    this.#position = 0;
    this.#mostUses = 0;
  }
}

/** Keeps the last `max` of many items. */
class Latest<T> {
  readonly #max: number;
  readonly #all: T[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  add(one: T): void {
    this.#all.push(one);
    if (this.#all.length >= this.#max * 10) this.#all.splice(0, this.#all.length - this.#max);
  }

  last(count: number): T[] {
    return this.#all.slice(-count);
  }
}
