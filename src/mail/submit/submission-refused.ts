/** Why a message is not sent: the SetError types of RFC 8621 §7.5, and `invalidEnvelope` for what has none. */
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
  /** The properties of the Email at fault, or the recipients. */
  readonly names: string[];

  constructor(reason: RefusalReason, text: string, names: string[] = []) {
    super(text);
    this.reason = reason;
    this.names = names;
  }
}
