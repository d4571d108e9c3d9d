import { type DueSubmission, keyOf } from "../../store/queues/due.ts";

/** Submissions that a process works on, or that wait in it for their turn. */
const maxHeld = 400;
/** Of these, as many may be of one account and kind. */
const maxOfAccount = 100;

/** What a process has claimed, so that neither one account nor one kind of mail takes all its room. */
export class Held {
  /** Called when there is room again for what could not be claimed. */
  readonly #onRoom: () => void;
  /** How often each submission is worked on at once. */
  readonly #known = new Map<string, number>();
  /** By account and kind. */
  readonly #counts = new Map<string, { account: number; isBulk: boolean; count: number }>();
  /** Accounts that had all their room when somebody looked. */
  readonly #full = new Set<string>();
  /** There is room again once no more are held. */
  #wanted = -1;
  #size = 0;

  constructor(onRoom: () => void) {
    this.#onRoom = onRoom;
  }

  has(due: DueSubmission): boolean {
    return this.#known.has(keyOf(due));
  }

  /** Whether something that is due may wait for room. */
  get isShort(): boolean {
    return this.#wanted >= 0 || this.#full.size > 0;
  }

  /** How many more of a kind may be claimed, and which accounts have all theirs. Half the room is kept from bulk mail. */
  free(isBulk: boolean): { room: number; full: number[] } {
    const max = isBulk ? maxHeld / 2 : maxHeld;
    const room = max - this.#size;
    if (room <= 0) this.#wanted = Math.max(this.#wanted, (max * 3) / 4);
    const full: number[] = [];
    for (const [key, one] of this.#counts) {
      if (one.isBulk !== isBulk || one.count < maxOfAccount) continue;
      full.push(one.account);
      this.#full.add(key);
    }
    return { room, full };
  }

  add(due: DueSubmission, isBulk: boolean): void {
    const key = keyOf(due);
    this.#known.set(key, (this.#known.get(key) ?? 0) + 1);
    this.#size++;
    const entry = this.#counts.get(kindOf(due, isBulk)) ?? { account: due.userId, isBulk, count: 0 };
    entry.count++;
    this.#counts.set(kindOf(due, isBulk), entry);
  }

  remove(due: DueSubmission, isBulk: boolean): void {
    const [key, kind] = [keyOf(due), kindOf(due, isBulk)];
    const left = this.#known.get(key)! - 1;
    if (left > 0) this.#known.set(key, left);
    else this.#known.delete(key);
    this.#size--;
    const entry = this.#counts.get(kind)!;
    if (--entry.count === 0) this.#counts.delete(kind);
    // Half of an account's room, or a quarter of all, so that several are claimed in one statement.
    const hasRoom = this.#size <= this.#wanted || (this.#full.has(kind) && entry.count <= maxOfAccount / 2);
    if (!hasRoom) return;
    this.#wanted = -1;
    this.#full.clear();
    this.#onRoom();
  }
}

const kindOf = ({ userId }: DueSubmission, isBulk: boolean) => `${userId} ${isBulk}`;
