/** What came of an attempt. When it is unknown, what was asked for may have happened or not. */
export type Outcome = "acknowledged" | "unknown";

/** All that must hold afterwards, as the answers promise it. Each mail and draft has a name of its own as its subject. */
export class Ledger {
  /** Mail from outside: acknowledged by 250. */
  readonly mailIn = new Map<string, { to: string[]; outcome: Outcome }>();
  /** Submissions: acknowledged by `created`. `to` is undefined for a recipient outside, `NAME@remote.test`. */
  readonly sent = new Map<string, { from: string; to: string | undefined; outcome: Outcome }>();
  readonly drafts = new Map<string, { user: string; outcome: Outcome; destroyed: Outcome | undefined }>();
  /** By user and email id: the number in the last acknowledged keyword. */
  readonly flags = new Map<string, number>();
  /** By user and email id: the mailbox it is in; undefined while that is unknown. */
  readonly places = new Map<string, string | undefined>();
  readonly uploads: { user: string; blobId: string; sha256: string }[] = [];

  get acknowledged(): Record<"mails in" | "submissions" | "drafts" | "uploads", number> {
    const count = (all: Map<string, { outcome: Outcome }>) =>
      [...all.values()].filter(({ outcome }) => outcome === "acknowledged").length;
    return {
      "mails in": count(this.mailIn),
      submissions: count(this.sent),
      drafts: count(this.drafts),
      uploads: this.uploads.length,
    };
  }
}

export const emailKey = (user: string, emailId: string) => `${user} ${emailId}`;
