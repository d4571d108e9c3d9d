/** Why a message cannot be sent: the SetError types of RFC 8621 §7.5, and `invalidEnvelope` for all other faults. */
export type RefusalReason =
  | "invalidEmail"
  | "tooLarge"
  | "noRecipients"
  | "tooManyRecipients"
  | "invalidRecipients"
  | "forbiddenFrom"
  | "forbiddenMailFrom"
  | "invalidEnvelope";

export class SubmissionRefused extends Error {
  readonly reason: RefusalReason;
  /** The Email properties or the recipients at fault. */
  readonly names: string[];

  constructor(reason: RefusalReason, text: string, names: string[] = []) {
    super(text);
    this.reason = reason;
    this.names = names;
  }
}
