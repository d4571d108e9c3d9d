/** No equivalent form of a message is legal for a server. */
export class Unsendable extends Error {
  /** RFC 3463, RFC 6531: the status for the report to the sender. */
  readonly status: "5.6.3" | "5.6.7";
  /** The properties of the Email at fault. */
  readonly properties: string[];

  constructor(status: "5.6.3" | "5.6.7", text: string, properties: string[]) {
    super(text);
    this.status = status;
    this.properties = properties;
  }
}
