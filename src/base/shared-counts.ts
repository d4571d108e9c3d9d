/** Slows down guessing: after some free failures of a key, each further one doubles a wait, up to 15 minutes. Forgets after an hour. */
export interface Throttle {
  isBlocked(key: string): boolean | Promise<boolean>;
  /**
   * Counts a guess before its outcome is known, so that many at once do not pass. False while the key is blocked; then the
   * guess is not counted.
   */
  attempt(key: string): boolean | Promise<boolean>;
  /** Counts a failure, whether or not the key is blocked. */
  fail(key: string): void;
  /** Takes back an attempt that had no outcome, such as when the database was unreachable. */
  withdraw(key: string): void;
  forgive(key: string): void;
}

/** Limits how often something happens in a stretch of time. */
export interface RateLimit {
  /** Counts one more. False if it is more than allowed. */
  count(key: string): boolean | Promise<boolean>;
}

/** Limits how many of something are open or under way at once. */
export interface PlaceLimit {
  /** The most places of one key. */
  readonly max: number;
  /** Takes a place, if one is free. */
  take(key: string): boolean | Promise<boolean>;
  /** Gives back a place that was taken. */
  leave(key: string): void;
}

/** Hands out turns, so that they lie apart however many ask for them. */
export interface SharedTurns {
  /** Books the next turn, and the time after it; in how many milliseconds it begins. */
  book(key: string, intervalMs: number): number | Promise<number>;
}

/**
 * What the processes of an installation count together, so that a limit holds however many there are. An answer that needs
 * no other process is given at once; one that does comes soon, or is given by this process's own counts. The `name` of
 * a limit is the same in all processes.
 */
export interface SharedCounts {
  /** `free` is the number of the failure from which on there is a wait; the first is one second. */
  throttle(name: string, options: { free: number }): Throttle;
  rateLimit(name: string, options: { max: number; windowMs: number }): RateLimit;
  /** Between processes, each may go beyond `max` by one place. The places of a process that dies come free. */
  placeLimit(name: string, options: { max: number }): PlaceLimit;
  turns(name: string): SharedTurns;
  /** Gives up all places of this process. */
  close(): Promise<void>;
}
