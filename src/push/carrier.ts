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

/** Mail was queued: processes that send it look for work. */
export interface QueuedEvent {
  queued: "submissions";
}

/** What operators look at may be otherwise now: what is kept of mails on their way, or what somebody has changed. */
export type Watched = "mail" | "acts";
export interface WatchedEvent {
  watched: Watched;
}

export type BusEvent = ChangeEvent | RevokedEvent | QueuedEvent | WatchedEvent;

/** The events sent as one message: changes are merged by account, so a storm stays small. */
export interface Batch {
  changes: ChangeEvent[];
  revoked: string[];
  /** Mail was queued. */
  queued: boolean;
  watched: Watched[];
}

/** What a process may follow: an account's changes, queued mail, or what operators look at. Revocations are for all. */
export type Topic = number | "queued" | "watched";

export interface Receiver {
  onBatch(batch: Batch): void;
  /** Connected, or connected again: revocations that others sent in between are lost. */
  onUp(): void;
  onDown(): void;
  /** Some of what others sent may be lost, though it is connected, or only partly. */
  onGap?(): void;
}

/** Carries events to and from the other processes. Messages may be lost; the bus makes up for that. */
export interface Carrier {
  /** Begins to receive. A process that only sends (the CLI) never calls it. */
  start(receiver: Receiver): Promise<void>;
  /** Rejects if the batch may not have been sent; the bus then retries with the newest states. */
  send(batch: Batch): Promise<void>;
  close(): Promise<void>;
  /** It carries nothing but revocations. (Default: false) */
  readonly isForRevocations?: boolean;
  /** Resolves once the topic's events arrive. A carrier without this method brings those of all topics. */
  follow?(topic: Topic): Promise<void>;
  unfollow?(topic: Topic): void;
}
