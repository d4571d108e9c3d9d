import { computed, signal } from "@preact/signals";
import type { Id } from "../jmap/types.ts";
import type { Patch } from "./patch.ts";

/** Changes of emails that the server has not confirmed yet. Doing them twice does no harm. */
export interface Letter {
  key: string;
  accountId: Id;
  update: Record<Id, Patch>;
  destroy: Id[];
}

/** What became of a letter: emails that the server refused, with its error's type. */
export type Refused = Map<Id, string>;

interface Waiting {
  resolve(refused: Refused): void;
  reject(error: Error): void;
}

/**
 * Keeps what is done while the line is lost, also over a reload: in the browser's storage, in order, for whichever tab comes first.
 * `deliver` rejects with ConnectionLost when there is no line: the letter waits then.
 */
export class Outbox {
  /** How many changes wait; above 0 for long only while the line is lost. */
  readonly waiting = computed(() => this.#letters.value.length);
  readonly #letters = signal<readonly Letter[]>(stored());
  readonly #askers = new Map<string, Waiting>();
  readonly #deliver: (letter: Letter) => Promise<Refused>;
  readonly #isLost: (error: unknown) => boolean;
  #isFlushing = false;

  constructor(deliver: (letter: Letter) => Promise<Refused>, isLost: (error: unknown) => boolean) {
    this.#deliver = deliver;
    this.#isLost = isLost;
  }

  /** Resolves when the server has answered, however late. */
  post(letter: Omit<Letter, "key">): Promise<Refused> {
    const key = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    const kept = { ...letter, key };
    keep(kept);
    this.#letters.value = [...this.#letters.peek(), kept];
    const answered = new Promise<Refused>((resolve, reject) => this.#askers.set(key, { resolve, reject }));
    void this.flush();
    return answered;
  }

  /** The patches of an email that wait, oldest first. */
  pendingOf(accountId: Id, emailId: Id): Patch[] {
    const patches: Patch[] = [];
    for (const letter of this.#letters.peek()) {
      const patch = letter.accountId === accountId ? letter.update[emailId] : undefined;
      if (patch) patches.push(patch);
    }
    return patches;
  }

  /** Sends what waits, one letter after the other, until the line is lost. The first is sent in this very tick. */
  async flush(): Promise<void> {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    try {
      for (let letter = this.#letters.peek()[0]; letter; letter = this.#letters.peek()[0]) {
        // Another tab has sent it.
        const refused = isKept(letter) ? await this.#deliver(letter) : new Map();
        this.#done(letter, ({ resolve }) => resolve(refused));
      }
    } catch (error) {
      const [letter] = this.#letters.peek();
      // What the server cannot take now, it never will.
      if (letter && !this.#isLost(error)) this.#done(letter, ({ reject }) => reject(error as Error));
      // Push may be live although requests fail.
      if (this.#letters.peek().length > 0) setTimeout(() => void this.flush(), againMs);
    } finally {
      this.#isFlushing = false;
    }
  }

  /** Somebody else signs in. */
  clear(): void {
    for (const letter of this.#letters.peek()) localStorage.removeItem(itemOf(letter));
    this.#letters.value = [];
  }

  #done(letter: Letter, tell: (asker: Waiting) => void): void {
    localStorage.removeItem(itemOf(letter));
    this.#letters.value = this.#letters.peek().filter(({ key }) => key !== letter.key);
    const asker = this.#askers.get(letter.key);
    this.#askers.delete(letter.key);
    if (asker) tell(asker);
  }
}

const againMs = 5_000;

/** Each letter is an item of its own, so that tabs do not write over each other's. */
const prefix = "posthorn.outbox.";
const itemOf = ({ key }: Letter) => prefix + key;
/** Letters that the storage had no room for. */
const unkept = new Set<string>();

function keep(letter: Letter): void {
  try {
    localStorage.setItem(itemOf(letter), JSON.stringify(letter));
  } catch {
    unkept.add(letter.key);
  }
}

function isKept(letter: Letter): boolean {
  return unkept.has(letter.key) || localStorage.getItem(itemOf(letter)) !== null;
}

/** What a page left behind, oldest first; keys begin with the time. */
function stored(): Letter[] {
  const items = Object.keys(localStorage)
    .filter((item) => item.startsWith(prefix))
    .sort();
  return items.flatMap((item) => {
    try {
      return [JSON.parse(localStorage.getItem(item) ?? "") as Letter];
    } catch {
      return [];
    }
  });
}
