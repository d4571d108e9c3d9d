import { signal } from "@preact/signals";
import type { EmailAddress, Id } from "../shared/jmap/types.ts";

/** What somebody wants to write. The composer opens for it, and closes it when done. */
export type ComposeIntent =
  | { kind: "new"; to?: EmailAddress[]; subject?: string; body?: string }
  /** `isRemoteShown`: pictures from other servers are shown in the mail, so they stay in the quote. */
  | { kind: "reply" | "replyAll" | "forward"; accountId: Id; emailId: Id; isRemoteShown?: boolean }
  | { kind: "draft"; accountId: Id; emailId: Id };

/** The open composer; undefined for none. */
export const composing = signal<ComposeIntent | undefined>(undefined);

export function compose(intent: ComposeIntent): void {
  composing.value = intent;
}
