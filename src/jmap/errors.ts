export type RequestProblem = "unknownCapability" | "notJSON" | "notRequest" | "limit";

/** RFC 8620 §3.6.1: refuses the whole request; the answer's body is problem+json (RFC 7807). */
export class RequestError extends Error {
  readonly status: number;
  /** A URN of RFC 8620, or "about:blank" where the HTTP status says it all. */
  readonly type: string;
  /** For `limit`: the name of the limit. */
  readonly limit: string | undefined;

  constructor(problem: RequestProblem | "about:blank", status: number, detail: string, limit?: string) {
    super(detail);
    this.type = problem === "about:blank" ? problem : `urn:ietf:params:jmap:error:${problem}`;
    this.status = status;
    this.limit = limit;
  }

  toJSON(): object {
    return { type: this.type, status: this.status, detail: this.message, limit: this.limit };
  }
}

/** The credentials may be right, but stand for too little: `code` says so to programs, as in the refusals below /auth/. */
export class SecondFactorWanted extends RequestError {
  constructor() {
    super(
      "about:blank",
      401,
      "This account has a second factor or must have one: sign in to the page with it. Programs use an app password or a token, which its owner makes in the inbox; neither opens the operators' page.",
    );
  }

  override toJSON(): object {
    return { ...super.toJSON(), code: "second-factor-required" };
  }
}

/** RFC 9110 §15.5.2: no right credentials came with the request. `metadataUrl`: where it says how to get some (RFC 9728 §5.1). */
export class Unauthenticated extends RequestError {
  readonly metadataUrl: string | undefined;

  constructor(detail: string, metadataUrl: string | undefined) {
    super("about:blank", 401, detail);
    this.metadataUrl = metadataUrl;
  }
}

/** RFC 8620 §3.6.2, §5.1 to §5.6. */
export type MethodErrorType =
  | "serverUnavailable"
  | "serverFail"
  | "serverPartialFail"
  | "unknownMethod"
  | "invalidArguments"
  | "invalidResultReference"
  | "forbidden"
  | "accountNotFound"
  | "accountNotSupportedByMethod"
  | "accountReadOnly"
  | "requestTooLarge"
  | "cannotCalculateChanges"
  | "stateMismatch"
  | "anchorNotFound"
  | "unsupportedSort"
  | "unsupportedFilter"
  | "tooManyChanges"
  | "fromAccountNotFound"
  | "fromAccountNotSupportedByMethod"
  | "unknownDataType";

/** Fails one call and rolls back its writes; the other calls of the request run. */
export class MethodError extends Error {
  readonly type: MethodErrorType;
  /** Further members of the error, e.g. `arguments`. */
  readonly details: object;

  constructor(type: MethodErrorType, description?: string, details: object = {}) {
    super(description ?? "");
    this.type = type;
    this.details = details;
  }

  toJSON(): object {
    return { type: this.type, ...(this.message && { description: this.message }), ...this.details };
  }
}

/** RFC 8620 §5.3, §5.4; RFC 8621 §2.5, §4.6, §4.8, §7.5; RFC 9007 §2.1. */
export type SetErrorType =
  | "forbidden"
  | "overQuota"
  | "tooLarge"
  | "rateLimit"
  | "notFound"
  | "invalidPatch"
  | "willDestroy"
  | "invalidProperties"
  | "singleton"
  | "alreadyExists"
  | "mailboxHasChild"
  | "mailboxHasEmail"
  | "blobNotFound"
  | "tooManyKeywords"
  | "tooManyMailboxes"
  | "invalidEmail"
  | "tooManyRecipients"
  | "noRecipients"
  | "invalidRecipients"
  | "forbiddenMailFrom"
  | "forbiddenFrom"
  | "forbiddenToSend"
  | "cannotUnsend"
  | "mdnAlreadySent";

export interface SetErrorDetails {
  properties?: string[];
  existingId?: string;
  notFound?: string[];
  maxSize?: number;
  maxRecipients?: number;
  invalidRecipients?: string[];
  /** Why an operator's act was refused (docs/jmap.md). */
  refusal?: { type: string };
}

/** Refuses one record of a call; the call's other records are processed. */
export class SetError extends Error {
  readonly type: SetErrorType;
  readonly details: SetErrorDetails;

  constructor(type: SetErrorType, description?: string, details: SetErrorDetails = {}) {
    super(description ?? "");
    this.type = type;
    this.details = details;
  }

  toJSON(): object {
    return { type: this.type, ...(this.message && { description: this.message }), ...this.details };
  }
}

export function invalidProperties(description: string, ...properties: string[]): SetError {
  return new SetError("invalidProperties", description, { properties });
}

/** RFC 8620 §5.3: overQuota also reports a limit on the number of objects of a type. */
export function tooMany(things: string, max: number): SetError {
  return new SetError("overQuota", `at most ${max} ${things}`);
}

export function overQuota(): SetError {
  return new SetError("overQuota", "the account has no room left: see its Quota");
}
