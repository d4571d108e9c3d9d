/** The server was not reached, or did not answer. Try again later. */
export class ConnectionLost extends Error {}

/** The session has ended: the sign-in screen comes up by itself. */
export class SignedOut extends Error {}

/** RFC 8620 §3.6.1: the whole request was refused. */
export class RequestRefused extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, detail: string) {
    super(detail);
    this.status = status;
    this.type = type;
  }
}

/** RFC 8620 §3.6.2: one call failed. `type` is the error's, such as "cannotCalculateChanges". */
export class MethodFailed extends Error {
  readonly type: string;

  constructor(type: string, description: string) {
    super(description);
    this.type = type;
  }
}
