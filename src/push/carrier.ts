import type { States } from "./states.ts";

/** After a commit: what changed in an account, and to which states. */
export interface ChangeEvent {
  accountId: number;
  changed: States;
}

/** Some credential of a login was revoked, or what it opens changed: whoever holds on to it must ask again. */
export interface RevokedEvent {
  /** The login. */
  credential: string;
}

export type BusEvent = ChangeEvent | RevokedEvent;

/** What a process tells the others at once: changes merged per account, so a storm stays small. */
export interface Batch {
  changes: ChangeEvent[];
  revoked: string[];
}

export interface Receiver {
  onBatch(batch: Batch): void;
  /** Connected, or connected again: what others told meanwhile is lost. */
  onUp(): void;
}

/** Takes events to the other processes and brings theirs. Messages may get lost; the bus makes up for it. */
export interface Carrier {
  /** Begins to bring events. A process that only tells (the CLI) never calls it. */
  start(receiver: Receiver): Promise<void>;
  /** Rejects when nothing is known to have been told; the bus then tries again with what is newest. */
  send(batch: Batch): Promise<void>;
  /** The first subscriber of an account came, or the last one left: for carriers that route by account. */
  watch?(accountId: number): void;
  unwatch?(accountId: number): void;
  close(): Promise<void>;
}
