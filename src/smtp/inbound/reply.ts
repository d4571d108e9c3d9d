/** An SMTP refusal: the code, and a text that begins with the enhanced status code (RFC 3463). */
export class Refusal extends Error {
  readonly responseCode: number;

  constructor(responseCode: number, text: string) {
    super(text);
    this.responseCode = responseCode;
  }
}
