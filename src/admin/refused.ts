/** Why an operator's request is refused; `text` is the argument as the operator gave it. */
export type Refusal =
  | { type: "notAnAddress"; text: string }
  | { type: "notAnAddressOrDomain"; text: string }
  | { type: "notADomain"; text: string }
  | { type: "controlCharacters" }
  | { type: "nameTooLong"; limit: number }
  | { type: "taken"; address: string }
  | { type: "noAccount"; login: string }
  | { type: "noAccountBehind"; text: string }
  | { type: "notRemoved" | "heldByLaw"; login: string }
  | { type: "noHold" | "noRule"; id: string }
  | { type: "noAddress"; text: string }
  | { type: "ownAddress"; address: string }
  | { type: "noDomain"; text: string }
  | { type: "noRoom" | "changedMeanwhile" }
  | { type: "domainInUse"; name: string; addresses: string[] }
  | { type: "notInDomain"; address: string; domain: string }
  | { type: "domainUnnamed"; domains: string[] }
  | { type: "noInvite"; id: string }
  | { type: "noCredential"; login: string; id: string }
  | { type: "notARedirect"; text: string }
  | { type: "noOauthClient"; text: string }
  | { type: "ownLogin" }
  | { type: "notAMail"; text: string }
  | { type: "noMail"; text: string }
  | { type: "noReport"; text: string }
  | { type: "notAHost"; text: string }
  | { type: "notPublished"; names: string }
  | { type: "keysInUse"; until: string }
  | { type: "notQuarantined"; text: string }
  | { type: "notShared"; text: string; login: string }
  | { type: "notSuppressed"; address: string }
  | { type: "notMasked"; address: string }
  | { type: "tooManyMasks"; limit: number }
  | { type: "forwardsToItself"; address: string }
  | { type: "forwardsNowhere"; address: string }
  | { type: "tooManyForwards"; limit: number }
  | { type: "notHeld" | "heldAlready"; login: string }
  | { type: "domainsMissing" }
  | { type: "roleOfAllDomains"; role: string }
  | { type: "noOperator"; login: string }
  | { type: "noCitus" }
  | { type: "notMigrated" }
  | { type: "notANode"; text: string }
  | { type: "noNode"; node: string; nodes: string[] }
  | { type: "nodeUnfit"; node: string; problems: string[] }
  | { type: "takesNoShards"; node: string }
  | { type: "lastNode"; node: string }
  | { type: "coordinatorUnnamed" }
  | { type: "movesUnderWay" };

/** A refused request of an operator. The front end words the message (src/cli/refusals.ts). */
export class Refused extends Error {
  readonly why: Refusal;

  constructor(why: Refusal) {
    super(why.type);
    this.why = why;
  }
}
