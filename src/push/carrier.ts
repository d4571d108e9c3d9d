import type { States } from "./states.ts";

/** What a commit changed in an account, with the new states. */
export interface ChangeEvent {
  accountId: number;
  changed: States;
  /** Milliseconds since 1970, by the clock of the process that committed; of merged changes, the oldest. */
  committedAt?: number | undefined;
}

/** A credential of a login was revoked, or the accounts it opens changed: holders of a connection must check it again. */
export interface RevokedEvent {
  /** The login. */
  credential: string;
}

export type BusEvent = ChangeEvent | RevokedEvent;

/** The events sent as one message: changes are merged by account, so a storm stays small. */
export interface Batch {
  changes: ChangeEvent[];
  revoked: string[];
}

export interface Receiver {
  onBatch(batch: Batch): void;
  /** Connected, or connected again: what others sent in between is lost. */
  onUp(): void;
}

/** Carries events to and from the other processes. Messages may be lost; the bus makes up for that. */
export interface Carrier {
  /** Begins to receive. A process that only sends (the CLI) never calls it. */
  start(receiver: Receiver): Promise<void>;
  /** Rejects if the batch may not have been sent; the bus then retries with the newest states. */
  send(batch: Batch): Promise<void>;
  close(): Promise<void>;
}
