import { RepeatedWindows } from "./repeated-windows.ts";

/** The words of a phrase of a query, at most. Rows overlap by so many less one, so that one of them has the phrase whole. */
export const maxPhrase = 100;

/** Where the account's prefix comes, and the quote before it. */
export const prefixMark = "\x01";

/** Postgres knows positions up to 16,383, and 255 of one term; a vector may have 1 MB, and is read as a whole. */
const maxPosition = 10_000;
const maxUses = 255;
const maxOctets = 500_000;
/** Between texts, so that no phrase spans two of them. */
const gap = 5;

/** What stands at one position. */
interface Entry {
  plain: string;
  /** The same word of a header field, with that field's letter. */
  named: string | undefined;
  weight: "A" | "B" | "";
  /** A gap comes before it. */
  isFirst: boolean;
}

interface Uses {
  count: number;
  positions: string;
}

/** Parts the terms of one message into rows that fit into a tsvector each and together hold every phrase. */
export class SearchRows {
  readonly #rows: string[] = [];
  #terms = new Map<string, Uses>();
  #octets = 0;
  #position = 0;
  /** Of the term of the row that is used most. */
  #mostUses = 0;
  #isFirst = false;
  /** The latest positions of the row, which the next one begins with. */
  readonly #written = new Latest<Entry>(maxPhrase - 1);
  /** The latest words of the text, written or not. Only of a message that takes several rows. */
  readonly #seen = new Latest<Entry>(maxPhrase);
  /** How many of the latest words were left out: every phrase that ends with one of them is indexed already. */
  #left = 0;
  /** Only of a message that takes several rows. */
  #windows: RepeatedWindows | undefined;

  /** A word; `named`: of a header field, to be found by that name too. */
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

  /** The text ends here; what is added next belongs to another. */
  part(): void {
    this.#isFirst = true;
    this.#left = 0;
    this.#windows?.restart();
  }

  finish(): string[] {
    if (this.#terms.size > 0 || this.#rows.length === 0) this.#close();
    return this.#rows;
  }

  /** A word is new after some that were left out: it is to stand behind those it follows. */
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
    // Of most messages no term is used so often, and none need be looked up.
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

/** The last of many. */
class Latest<T> {
  readonly #most: number;
  readonly #all: T[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  add(one: T): void {
    this.#all.push(one);
    if (this.#all.length >= this.#most * 10) this.#all.splice(0, this.#all.length - this.#most);
  }

  last(count: number): T[] {
    return this.#all.slice(-count);
  }
}
