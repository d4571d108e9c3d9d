/** An SMTP refusal: the code, and a text that begins with the enhanced status code (RFC 3463). */
export class Refusal extends Error {
  readonly responseCode: number;
  /** Goes to the log only. */
  readonly reason: string | undefined;

  constructor(responseCode: number, text: string, reason?: string) {
    super(text);
    this.responseCode = responseCode;
    this.reason = reason;
  }
}

/** The connection ended within a command: the library wants a reply, but nobody hears it, and nothing was refused. */
export class PeerGone extends Error {
  readonly responseCode = 421;
}
