/** A message is durable here, from another server or between our own users. */
export interface MailTaken {
  sizeOctets: number;
  recipients: number;
}

/** A message could not be made durable: whoever brought it still has it. */
export interface MailNotStored {
  sizeOctets: number;
  recipients: number;
}

/** Another server was told no, for a while (4yz) or for good (5yz). */
export interface MailRefused {
  command: "MAIL" | "RCPT" | "DATA";
  /** RFC 5321 §4.2 */
  replyCode: number;
}

/** What came of one attempt for one recipient is written down. */
export interface AttemptEnded {
  result: "sent" | "deferred" | "failed";
  smtpReply: string;
}

/** A JMAP method call that had its method and right arguments is answered. */
export interface MethodRan {
  method: string;
  /** "ok", or the type of the error in its place. */
  outcome: string;
  seconds: number;
}

export type EndpointName = "session" | "api" | "upload" | "download" | "eventsource" | "other";

/** The answer to an HTTP request is taken, or its client is gone. */
export interface RequestEnded {
  endpoint: EndpointName;
  status: number;
  seconds: number;
}

/** A change of states, or the verification of a subscription (RFC 8620 §7.2.2), went to a client. */
export interface PushSent {
  channel: "eventsource" | "websocket" | "webpush";
}

/** A push service took none. */
export interface PushFailed {
  /** Undefined where there was no answer. */
  status: number | undefined;
}

/** What happens, told to whoever counts it. A listener returns at once and never throws. */
export interface Events {
  mailTaken(event: MailTaken): void;
  mailNotStored(event: MailNotStored): void;
  mailRefused(event: MailRefused): void;
  attemptEnded(event: AttemptEnded): void;
  methodRan(event: MethodRan): void;
  requestEnded(event: RequestEnded): void;
  pushSent(event: PushSent): void;
  pushFailed(event: PushFailed): void;
}

export const silentEvents: Events = {
  mailTaken: () => {},
  mailNotStored: () => {},
  mailRefused: () => {},
  attemptEnded: () => {},
  methodRan: () => {},
  requestEnded: () => {},
  pushSent: () => {},
  pushFailed: () => {},
};
