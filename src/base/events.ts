/** A message became durable here; another server sent it, or one local user to another. */
export interface MailTaken {
  sizeOctets: number;
  recipients: number;
}

/** A message could not be made durable. The sender still has it. */
export interface MailNotStored {
  sizeOctets: number;
  recipients: number;
}

/** A command of another server, or of one of our own users, was refused, temporarily (4yz) or permanently (5yz). */
export interface MailRefused {
  command: "MAIL" | "RCPT" | "DATA";
  /** RFC 5321 §4.2 */
  replyCode: number;
}

/** A check at a door for mail has refused a peer, put it off or disconnected it. */
export interface CheckObjected {
  /** Its name in docs/smtp.md. */
  check: string;
  verdict: "refuse" | "defer" | "disconnect";
}

/** A message came in with something that speaks against its peer, or for it, and decides nothing. */
export interface ClueFound {
  clue: string;
}

/** A connection for HTTP was closed for want of a place: of its network, or of all. */
export interface WebConnectionClosed {
  reason: "network" | "all";
}

/** The result of one delivery attempt to one recipient was recorded. */
export interface AttemptEnded {
  /** The domain of the recipient, in lower case. */
  destination: string;
  result: "sent" | "deferred" | "failed";
  smtpReply: string;
}

/** A mail goes to another server: over a new connection, or over one that an earlier mail has left open. */
export interface ConnectionUsed {
  use: "new" | "kept";
}

/** A connection to another server was opened, or was not for want of the TLS that is asked for. */
export interface TlsJudged {
  /** RFC 8460 §4.4: what asked. */
  policy: "tlsa" | "sts" | "no-policy-found";
  /** "success", or what failed, by its name in RFC 8460 §4.3. */
  result: string;
}

/** A mail came into the error queue, or was set aside on its way in. */
export interface MailInTrouble {
  error: "build" | "sign" | "route" | "local" | "expired" | "set-aside";
}

/** All mail of one of our users is held from now on. */
export interface SenderHeld {
  reason: "bounces" | "complaints" | "spam" | "takeover" | "operator";
}

/** An address that mail leaves from rests for a while. */
export interface SourceRests {
  address: string;
}

/** A mail to many left for another server. */
export interface BulkSent {
  /** Whether its recipients can leave the list with one click (RFC 8058). */
  hasOneClick: boolean;
}

/** A message was put into an account. */
export interface MailFiled {
  isJunk: boolean;
}

/** A report of a mail that left here came back to its sender: of its delivery, of a complaint, or a question whether it is one. */
export interface FeedbackCame {
  kind: "delivery" | "complaint" | "challenge";
}

/** A JMAP method call with a known method and valid arguments was answered. */
export interface MethodRan {
  method: string;
  /** "ok", or the type of the error. */
  outcome: string;
  seconds: number;
}

export type EndpointName = "session" | "api" | "upload" | "download" | "eventsource" | "page" | "other";

/** The response to an HTTP request was sent, or its client disconnected. */
export interface RequestEnded {
  endpoint: EndpointName;
  status: number;
  seconds: number;
}

export type ObjectOperation = "put" | "read" | "stream" | "size" | "days" | "list" | "remove";

/** An operation on the store of bodies ended. */
export interface ObjectOperationEnded {
  operation: ObjectOperation;
  /** "missing": there is no such object to read. */
  outcome: "ok" | "missing" | "failed";
  /** Of a stream or a list, until its reader has taken it. */
  seconds: number;
}

/** A StateChange or a PushVerification (RFC 8620 §7.2.2) was sent to a client. */
export interface PushSent {
  channel: "eventsource" | "websocket" | "webpush";
  /** Since the commit of the oldest change in it; undefined if that is not known. */
  lagSeconds: number | undefined;
}

/** A push service did not accept a message. */
export interface PushFailed {
  /** Undefined if there was no response. */
  status: number | undefined;
}

/** Redis was asked for something. */
export interface RedisAnswered {
  use: "bus" | "cache" | "counts";
  /** "late": there was no answer in time. */
  outcome: "answered" | "failed" | "late";
  seconds: number;
}

/** A body was read, from a cache or from where bodies are stored. */
export interface BodyRead {
  from: "memory" | "redis" | "store";
}

/** A request to the S3 service was answered, or failed. */
export interface BodiesAsked {
  operation: string;
  outcome: "ok" | "failed";
  seconds: number;
}

/** Small mails were written as one object, or such an object lost those that nobody needs any more. */
export interface PackChanged {
  act: "written" | "compacted" | "removed";
  /** How many were written, or left out. */
  members: number;
}

/** What a listener is told, such as the metrics. A listener returns at once and never throws. */
export interface Events {
  mailTaken(event: MailTaken): void;
  mailNotStored(event: MailNotStored): void;
  mailRefused(event: MailRefused): void;
  checkObjected(event: CheckObjected): void;
  clueFound(event: ClueFound): void;
  webConnectionClosed(event: WebConnectionClosed): void;
  attemptEnded(event: AttemptEnded): void;
  tlsJudged(event: TlsJudged): void;
  connectionUsed(event: ConnectionUsed): void;
  mailInTrouble(event: MailInTrouble): void;
  senderHeld(event: SenderHeld): void;
  sourceRests(event: SourceRests): void;
  bulkSent(event: BulkSent): void;
  methodRan(event: MethodRan): void;
  requestEnded(event: RequestEnded): void;
  objectOperationEnded(event: ObjectOperationEnded): void;
  pushSent(event: PushSent): void;
  pushFailed(event: PushFailed): void;
  redisAnswered(event: RedisAnswered): void;
  bodyRead(event: BodyRead): void;
  bodiesAsked(event: BodiesAsked): void;
  packChanged(event: PackChanged): void;
  mailFiled(event: MailFiled): void;
  /** An infected message was put into quarantine. */
  virusFound(): void;
  feedbackCame(event: FeedbackCame): void;
}

export const silentEvents: Events = {
  mailTaken: () => {},
  mailNotStored: () => {},
  mailRefused: () => {},
  checkObjected: () => {},
  clueFound: () => {},
  webConnectionClosed: () => {},
  attemptEnded: () => {},
  tlsJudged: () => {},
  connectionUsed: () => {},
  mailInTrouble: () => {},
  senderHeld: () => {},
  sourceRests: () => {},
  bulkSent: () => {},
  methodRan: () => {},
  requestEnded: () => {},
  objectOperationEnded: () => {},
  pushSent: () => {},
  pushFailed: () => {},
  redisAnswered: () => {},
  bodyRead: () => {},
  bodiesAsked: () => {},
  packChanged: () => {},
  mailFiled: () => {},
  virusFound: () => {},
  feedbackCame: () => {},
};

/** Tells all of them. */
export function toAll(listeners: readonly Events[]): Events {
  const names = Object.keys(silentEvents) as (keyof Events)[];
  const tell = (name: keyof Events) => (event: never) => {
    for (const listener of listeners) listener[name](event);
  };
  return Object.fromEntries(names.map((name) => [name, tell(name)])) as unknown as Events;
}
