import { signal } from "@preact/signals";
import type { EmailAddress, Id } from "../shared/jmap/types.ts";
import type { Start } from "./composer/message.ts";

/** What somebody wants to write. The composer opens for it, and closes it when done. */
export type ComposeIntent =
  | { kind: "new"; to?: EmailAddress[]; subject?: string; body?: string }
  /** `isRemoteShown`: pictures from other servers are shown in the mail, so they stay in the quote. */
  | { kind: "reply" | "replyAll" | "forward"; accountId: Id; emailId: Id; isRemoteShown?: boolean }
  | { kind: "draft"; accountId: Id; emailId: Id }
  /** What was taken back from sending, or, with a key, was kept by this browser when its page closed. */
  | { kind: "again"; accountId: Id; start: Start; key?: string };

/** The open composer; undefined for none. */
export const composing = signal<ComposeIntent | undefined>(undefined);

export function compose(intent: ComposeIntent): void {
  composing.value = intent;
}

/** An open composer: it is asked before somebody signs out. */
interface OpenComposer {
  /** Saves at the server what is not saved yet. */
  save(): Promise<void>;
  /** Drops what this browser keeps of it. */
  forget(): void;
}

export const openComposers = new Set<OpenComposer>();
