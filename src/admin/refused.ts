/** Why something that an operator asked for is not done; `text` is what was asked for, as it was given. */
export type Refusal =
  | { type: "notAnAddress"; text: string }
  | { type: "notAnAddressOrDomain"; text: string }
  | { type: "notADomain"; text: string }
  | { type: "controlCharacters" }
  | { type: "nameTooLong"; limit: number }
  | { type: "taken"; address: string }
  | { type: "noAccount"; login: string }
  | { type: "noAccountBehind"; text: string }
  | { type: "noAddress"; text: string }
  | { type: "ownAddress"; address: string }
  | { type: "noDomain"; text: string }
  | { type: "domainInUse"; name: string; addresses: string[] }
  | { type: "noCredential"; login: string; id: string }
  | { type: "ownLogin" }
  | { type: "notShared"; text: string; login: string };

/** The front doors choose the words. */
export class Refused extends Error {
  readonly why: Refusal;

  constructor(why: Refusal) {
    super(why.type);
    this.why = why;
  }
}
