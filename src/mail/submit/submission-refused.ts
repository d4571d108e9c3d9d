/**
 * Why a message cannot be sent: the SetError types of RFC 8621 §7.5, `rateLimit` of RFC 8620 §5.3, and `invalidEnvelope` for
 * all other faults.
 */
export type RefusalReason =
  | "invalidEmail"
  | "tooLarge"
  | "noRecipients"
  | "tooManyRecipients"
  | "invalidRecipients"
  | "forbiddenFrom"
  | "forbiddenMailFrom"
  | "forbiddenToSend"
  | "rateLimit"
  | "invalidEnvelope";

export class SubmissionRefused extends Error {
  readonly reason: RefusalReason;
  /** The Email properties or the recipients at fault. */
  readonly names: string[];
  /** Of tooManyRecipients: how many there may be. */
  readonly maxRecipients: number | undefined;

  constructor(reason: RefusalReason, text: string, names: string[] = [], maxRecipients?: number) {
    super(text);
    this.reason = reason;
    this.names = names;
    this.maxRecipients = maxRecipients;
  }
}
