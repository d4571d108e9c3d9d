/** What the pages use of RFC 8620 and 8621. */
export type Id = string;

export interface Session {
  username: string;
  state: string;
  apiUrl: string;
  downloadUrl: string;
  uploadUrl: string;
  eventSourceUrl: string;
  capabilities: Record<string, Record<string, unknown>>;
  accounts: Record<Id, SessionAccount>;
  primaryAccounts: Record<string, Id>;
}

export interface SessionAccount {
  name: string;
  isPersonal: boolean;
  isReadOnly: boolean;
  accountCapabilities: Record<string, Record<string, unknown>>;
}

export interface EmailAddress {
  name: string | null;
  email: string;
}

/** RFC 8621 §2 */
export interface Mailbox {
  id: Id;
  name: string;
  parentId: Id | null;
  role: string | null;
  sortOrder: number;
  totalEmails: number;
  unreadEmails: number;
  totalThreads: number;
  unreadThreads: number;
  isSubscribed: boolean;
  myRights: Record<MailboxRight, boolean>;
}

export type MailboxRight =
  | "mayReadItems"
  | "mayAddItems"
  | "mayRemoveItems"
  | "maySetSeen"
  | "maySetKeywords"
  | "mayCreateChild"
  | "mayRename"
  | "mayDelete"
  | "maySubmit";

export interface Thread {
  id: Id;
  /** Oldest first. */
  emailIds: Id[];
}

/** RFC 8621 §4.1.4 */
export interface EmailBodyPart {
  partId: string | null;
  blobId: Id | null;
  size: number;
  name: string | null;
  type: string;
  charset: string | null;
  disposition: string | null;
  cid: string | null;
  language: string[] | null;
  location: string | null;
  subParts?: EmailBodyPart[] | null;
}

export interface EmailBodyValue {
  value: string;
  isEncodingProblem: boolean;
  isTruncated: boolean;
}

/** RFC 8621 §4.1. `header:…` and vendor properties are read by name, with a cast. */
export interface Email {
  id: Id;
  blobId: Id;
  threadId: Id;
  mailboxIds: Record<Id, true>;
  keywords: Record<string, true>;
  size: number;
  receivedAt: string;
  messageId: string[] | null;
  inReplyTo: string[] | null;
  references: string[] | null;
  sender: EmailAddress[] | null;
  from: EmailAddress[] | null;
  to: EmailAddress[] | null;
  cc: EmailAddress[] | null;
  bcc: EmailAddress[] | null;
  replyTo: EmailAddress[] | null;
  subject: string | null;
  sentAt: string | null;
  hasAttachment: boolean;
  preview: string;
  bodyStructure: EmailBodyPart;
  bodyValues: Record<string, EmailBodyValue>;
  textBody: EmailBodyPart[];
  htmlBody: EmailBodyPart[];
  attachments: EmailBodyPart[];
  headers: { name: string; value: string }[];
}

/** RFC 8621 §6 */
export interface Identity {
  id: Id;
  name: string;
  email: string;
  replyTo: EmailAddress[] | null;
  bcc: EmailAddress[] | null;
  textSignature: string;
  htmlSignature: string;
  mayDelete: boolean;
}

/** RFC 8621 §7 */
export interface EmailSubmission {
  id: Id;
  identityId: Id;
  emailId: Id;
  threadId: Id;
  envelope: { mailFrom: EnvelopeAddress; rcptTo: EnvelopeAddress[] } | null;
  sendAt: string;
  undoStatus: "pending" | "final" | "canceled";
  deliveryStatus: Record<string, { smtpReply: string; delivered: string; displayed: string }> | null;
  dsnBlobIds: Id[];
  mdnBlobIds: Id[];
}

export interface EnvelopeAddress {
  email: string;
  parameters?: Record<string, string | null> | null;
}

/** RFC 8621 §8 */
export interface VacationResponse {
  id: "singleton";
  isEnabled: boolean;
  fromDate: string | null;
  toDate: string | null;
  subject: string | null;
  textBody: string | null;
  htmlBody: string | null;
}

/** RFC 8621 §5 */
export interface SearchSnippet {
  emailId: Id;
  subject: string | null;
  preview: string | null;
}

/** RFC 9425 */
export interface Quota {
  id: Id;
  resourceType: string;
  used: number;
  hardLimit: number;
  warnLimit: number | null;
  softLimit: number | null;
  scope: string;
  name: string;
}

/** A password for one program: of this server (docs/jmap.md), as are the two below. */
export interface AppPassword {
  id: Id;
  label: string;
  createdAt: string;
  lastUsedAt: string | null;
  network: string | null;
}

/** A browser that is signed in, or another token. */
export interface SignIn extends AppPassword {
  kind: "browser" | "application" | "token";
  agent: string | null;
  expiresAt: string | null;
  isCurrent: boolean;
}

/** What the login proves itself by besides its password. */
export interface SecondFactor {
  id: Id;
  isNeeded: boolean;
  totp: { createdAt: string; lastUsedAt: string | null } | null;
  passkeys: Pick<AppPassword, "id" | "label" | "createdAt" | "lastUsedAt" | "network">[];
  recoveryCodesLeft: number;
}

export interface DeletedEmail {
  id: Id;
  from: EmailAddress[] | null;
  subject: string | null;
  size: number;
  receivedAt: string;
  deletedAt: string;
  mailboxIds: Record<Id, true>;
}

/** An archive of the whole account (docs/jmap.md). */
export interface DataExport {
  id: Id;
  state: "waiting" | "running" | "done" | "failed" | "expired";
  failure: "noRoom" | "attempts" | null;
  createdAt: string;
  messagesDone: number;
  messagesTotal: number;
  blobId: Id | null;
  size: number;
  expiresAt: string | null;
}

export interface MaskedAddress {
  id: Id;
  email: string;
  label: string;
  state: "enabled" | "disabled";
  createdAt: string;
  lastMessageAt: string | null;
  messageCount: number;
}

/** RFC 8621 §4.4.1, or an operator with conditions. */
export type Filter = { operator: "AND" | "OR" | "NOT"; conditions: Filter[] } | FilterCondition;

export interface FilterCondition {
  inMailbox?: Id;
  inMailboxOtherThan?: Id[];
  before?: string;
  after?: string;
  minSize?: number;
  maxSize?: number;
  allInThreadHaveKeyword?: string;
  someInThreadHaveKeyword?: string;
  noneInThreadHaveKeyword?: string;
  hasKeyword?: string;
  notKeyword?: string;
  hasAttachment?: boolean;
  text?: string;
  from?: string;
  to?: string;
  cc?: string;
  bcc?: string;
  subject?: string;
  body?: string;
  header?: string[];
}

export interface Comparator {
  property: string;
  isAscending?: boolean;
  keyword?: string;
  collation?: string;
}

export interface SetError {
  type: string;
  description?: string | null;
  properties?: string[];
}

export type StateChange = Record<Id, Record<string, string>>;
