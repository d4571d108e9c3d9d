// Made by `npm run db:types` from the migrated tables.
import type { ColumnType, Generated } from "kysely";
import type { EmailAddress } from "../../mime/headers.ts";

/** RFC 8621 §7: an address with its SMTP parameters. */
export interface EnvelopeAddress {
  email: string;
  parameters: Record<string, string | null> | null;
}

export interface Envelope {
  mailFrom: EnvelopeAddress;
  rcptTo: EnvelopeAddress[];
}

/** Why a sender's mail is held. */
export type HoldReason = "bounces" | "complaints" | "spam" | "takeover" | "operator";

/** What is known of an account as a sender; times as in RFC 3339. */
export interface Sending {
  /** Its mail waits. isTold: whether its inbox has a message about it. */
  hold?: { at: string; reason: HoldReason; text: string; isTold: boolean };
  /** When its mail was last let go: its good behaviour counts from then. */
  liftedAt?: string;
  /** Recipients in an hour and in 24 hours, by an operator's word; 0 forbids it to send. */
  hourly?: number;
  daily?: number;
}

export type UndoStatus = "pending" | "final" | "canceled";
export type Delivered = "queued" | "yes" | "no" | "unknown";
export type Displayed = "yes" | "unknown";
export type DeliveryState = "queued" | "sent" | "failed" | "canceled";
export type AttemptOutcome = "sent" | "deferred" | "failed";
/** Why a mail is in the error queue: it could not be built, signed or routed, something here failed, or its time was over. */
export type AttemptError = "build" | "sign" | "route" | "local" | "expired";

/** Who gets an accepted message: an account, by the address in the envelope. */
export interface AcceptedRecipient {
  address: string;
  userId: number;
  /** The account's masked addresses that the message was sent to. */
  maskedIds?: number[];
  /** Where else the account sends it, and by which address of its own. */
  forwards?: { from: string; to: string[] }[];
  /** It does not go into the account itself. */
  isForwardedOnly?: true;
  /** RFC 8689: what the account sends elsewhere goes over verified TLS alone. */
  requiresTls?: true;
}

/** RFC 8601 §2.7: what was found of a message; results are those of each method. A domain is what was judged. */
export interface Authentication {
  /** RFC 8601 §2.5: who found it, if that is a server in front of this one. */
  authservId?: string;
  /** RFC 8601 §2.7.4: the address of ours that signed in to send it. Absent for mail from elsewhere. */
  auth?: { result: "pass"; identity: string };
  spf: { result: string; domain: string | null };
  dkim: { result: string; domain: string; selector: string }[];
  /** override: what decided instead of the policy, an operator's word or the name of a forwarder who vouches. */
  dmarc: { result: string; domain: string; policy: string | null; override: string | null }[];
  /** The newest sealer comes last. */
  arc: { result: string; sealers: string[] };
  bimi: { result: string; domain: string | null };
}

/** What led to an account that was removed; times as in RFC 3339. */
export interface Removed {
  logins: { login: string; passwordHash: string; createdAt: string }[];
  addresses: {
    address: string;
    createdAt: string;
    maskedId: number | null;
    isPaused: boolean;
    forwards: string[] | null;
    keepsCopy: boolean;
  }[];
  /** The logins that it was shared with, and the accounts that were shared with its logins. */
  shares: { login: string; accountId: number; createdAt: string }[];
}

/** Mail for one that is disabled is refused. */
export type MaskedState = "enabled" | "disabled";
export interface MaskedSender {
  domain: string;
  messages: number;
  lastMessageAt: string;
}

export interface AccountTable {
  userId: number;
  name: string;
  modseq: Generated<number>;
  lastId: Generated<number>;
  epoch: Generated<number>;
  prunedModseq: Generated<number>;
  createdAt: Date;
  used: Generated<number>;
  quota: number | null;
  quotaId: number | null;
  reindexedModseq: Generated<number>;
  sending: ColumnType<Sending | null, string | null, string | null>;
  isHeld: Generated<boolean>;
  keepFor: number | null;
}

export interface AccountAccessTable {
  login: string;
  accountId: number;
  createdAt: Date;
}

export interface AddressTable {
  address: string;
  userId: number;
  createdAt: Date;
  maskedId: number | null;
  isPaused: Generated<boolean>;
  forwards: string[] | null;
  keepsCopy: Generated<boolean>;
}

export interface AppPasswordTable {
  userId: number;
  login: string;
  id: string;
  label: string;
  passwordHash: string;
  createdAt: Date;
  usedAt: Date | null;
  network: string | null;
}

export interface AttemptTable {
  userId: number;
  submissionId: number;
  no: number;
  attempt: number;
  server: number;
  mailId: number;
  at: Date;
  milliseconds: number;
  mailFrom: string;
  recipients: ColumnType<string[], string, string>;
  host: string | null;
  address: string | null;
  tls: string | null;
  outcome: AttemptOutcome;
  reply: string;
  error: AttemptError | null;
  transcript: string;
}

export interface AuditTable {
  userId: number;
  seq: number;
  at: Date;
  who: string;
  what: ColumnType<Record<string, string | number | null>, string, string>;
  prev: Buffer;
  hash: Buffer;
}

export interface BlobRefTable {
  userId: number;
  sha256: Buffer;
  day: string;
  size: number;
  expiresAt: Date | null;
  releasedAt: Date | null;
  uploaders: number[] | null;
  pack: Buffer | null;
}

export interface BounceTable {
  userId: number;
  modseq: number;
  no: number;
  kind: string;
  source: string;
  recipient: string;
  destination: string;
  submissionId: number;
  reply: string;
  at: Date;
}

export interface ChangeTable {
  userId: number;
  type: number;
  modseq: number;
  id: number;
  kind: number;
  threadId: number | null;
  changedAt: Date;
  receivedAt: Date | null;
}

export interface CorrespondentTable {
  userId: number;
  address: string;
  domain: string;
  shape: string;
  nameKey: string;
  writtenAt: Date;
}

export interface DataExportTable {
  userId: number;
  id: number;
  state: string;
  createdAt: Date;
  done: number;
  total: number;
  attempts: number;
  leasedUntil: Date | null;
  sha256: Buffer;
  size: number;
  expiresAt: Date | null;
  hidden: boolean;
}

export interface DeadMemberTable {
  pack: Buffer;
  sha256: Buffer;
  day: string;
  diedAt: Date;
}

export interface DeadObjectTable {
  sha256: Buffer;
  day: string;
  diedAt: Date;
}

export interface DeletedEmailTable {
  userId: number;
  id: number;
  sha256: Buffer;
  size: number;
  receivedAt: Date;
  mailboxIds: number[];
  keywords: string[];
  taughtSpam: boolean | null;
  from: string | null;
  subject: string | null;
  scan: string | null;
  authentication: ColumnType<Authentication | null, string | null, string | null>;
  deletedAt: Date;
  hidden: Generated<boolean>;
}

export interface DeletedMailboxTable {
  userId: number;
  id: number;
  name: string;
  parentId: number | null;
  role: string | null;
  sortOrder: number;
  isSubscribed: boolean;
  deletedAt: Date;
}

export interface DeliveryTable {
  userId: number;
  submissionId: number;
  no: number;
  rcptTo: string;
  parameters: ColumnType<Record<string, string | null> | null, string | null, string | null>;
  state: DeliveryState;
  attempts: Generated<number>;
  nextAttemptAt: Date;
  leasedBy: string | null;
  leasedUntil: Date | null;
  smtpReply: string;
  delivered: Delivered;
  displayed: Displayed;
  incomingId: number | null;
  route: string | null;
  returnReply: string | null;
  warned: Generated<boolean>;
  heldFor: string | null;
  releasedAt: Date | null;
  keptSince: Date | null;
  automatic: Generated<boolean>;
  urgedAt: Date | null;
}

export interface DkimKeyTable {
  domain: string;
  selector: string;
  privateKey: string;
  state: string;
  createdAt: Date;
  since: Date;
}

export interface DomainTable {
  name: string;
  dkimSelector: string;
  dkimKey: string;
  createdAt: Date;
  stsMode: string | null;
  stsMx: string[] | null;
  needsSecondFactor: Generated<boolean>;
}

export interface DueTable {
  userId: number;
  submissionId: number;
  nextAttemptAt: Date;
  bulk: Generated<boolean>;
  since: Date | null;
}

export interface EmailTable {
  userId: number;
  id: number;
  no: number;
  threadId: number;
  receivedAt: Date;
  sentAt: Date | null;
  size: number;
  hasAttachment: boolean;
  mailboxIds: number[];
  keywords: string[];
  taughtSpam: boolean | null;
}

export interface EmailKeywordTable {
  userId: number;
  keyword: string;
  receivedAt: Date;
  emailId: number;
}

export interface EmailMailboxTable {
  userId: number;
  mailboxId: number;
  emailId: number;
  threadId: number;
  receivedAt: Date;
  seen: boolean;
  draft: boolean;
  head: boolean;
}

export interface GeneralSuppressionTable {
  address: string;
  reason: string;
  since: Date;
}

export interface GreylistTable {
  key: Buffer;
  firstAt: Date;
  lastAt: Date;
  isKnown: Generated<boolean>;
}

export interface IdentityTable {
  userId: number;
  id: number;
  name: string;
  email: string;
  replyTo: ColumnType<EmailAddress[] | null, string | null, string | null>;
  bcc: ColumnType<EmailAddress[] | null, string | null, string | null>;
  textSignature: string;
  htmlSignature: string;
  mayDelete: boolean;
}

export interface ImportItemTable {
  userId: number;
  sourceId: number;
  key: string;
  no: number;
  mailboxIds: number[];
  keywords: string[];
  isMade: boolean;
  isSpare: boolean;
}

export interface ImportSourceTable {
  userId: number;
  id: number;
  name: string;
  state: string;
  begunAt: Date;
  endedAt: Date | null;
}

export interface IncomingTable {
  id: number;
  createdAt: Date;
  sha256: Buffer;
  day: string;
  size: number;
  mailFrom: string;
  recipients: ColumnType<(AcceptedRecipient & { done: boolean; reasons?: string[] })[], string, string>;
  leasedBy: string;
  leasedUntil: Date;
  attempts: Generated<number>;
  lastError: string | null;
  junkReason: string | null;
  pack: Buffer | null;
  failures: Generated<number>;
  setAsideAt: Date | null;
  unscanned: Generated<boolean>;
  spam: string | null;
  authentication: ColumnType<Authentication | null, string | null, string | null>;
}

export interface InviteTable {
  id: string;
  hash: Buffer;
  domain: string;
  address: string | null;
  who: string;
  createdAt: Date;
  expiresAt: Date;
}

export interface JunkMarkTable {
  userId: number;
  senderId: number;
  submissionId: number;
  at: Date;
  told: Generated<boolean>;
}

export interface KnownNetworkTable {
  userId: number;
  network: Buffer;
  seenAt: Date;
  firstAt: Date | null;
}

export interface LegalHoldTable {
  id: string;
  scope: string;
  reason: string;
  who: string;
  placedAt: Date;
}

export interface LoginTable {
  login: string;
  userId: number;
  passwordHash: string;
  createdAt: Date;
}

export interface MailEventTable {
  mailId: number | null;
  at: Date;
  event: string;
  messageId: string | null;
  addresses: ColumnType<string[], string, string>;
  fields: ColumnType<Record<string, unknown>, string, string>;
}

export interface MailboxTable {
  userId: number;
  id: number;
  name: string;
  parentId: number | null;
  role: string | null;
  sortOrder: Generated<number>;
  isSubscribed: Generated<boolean>;
  totalEmails: Generated<number>;
  unreadEmails: Generated<number>;
  totalThreads: Generated<number>;
  unreadThreads: Generated<number>;
}

export interface MailboxSubscriptionTable {
  userId: number;
  login: string;
  mailboxId: number;
}

export interface MaskedAddressTable {
  userId: number;
  id: number;
  email: string;
  label: string;
  state: MaskedState;
  createdAt: Date;
  messages: Generated<number>;
  lastMessageAt: Date | null;
  senders: ColumnType<MaskedSender[], string, string>;
}

export interface MessageTable {
  userId: number;
  no: number;
  sha256: Buffer;
  size: number;
  messageId: string[] | null;
  inReplyTo: string[] | null;
  refs: string[] | null;
  sender: string | null;
  from: string | null;
  to: string | null;
  cc: string | null;
  bcc: string | null;
  replyTo: string | null;
  subject: string | null;
  sentAt: string | null;
  preview: string;
  hasAttachment: boolean;
  fromKey: string;
  toKey: string;
  subjectKey: string;
  header: Buffer | null;
  structure: string;
  scan: string | null;
  authentication: ColumnType<Authentication | null, string | null, string | null>;
}

export interface MigrationTable {
  number: number;
  name: string;
  checksum: string;
  oldestProgram: string;
  appliedAt: Date;
}

export interface OauthClientTable {
  id: string;
  name: string;
  redirectUris: string[];
  createdAt: Date;
}

export interface OauthGrantTable {
  userId: number;
  id: string;
  login: string;
  clientId: string;
  name: string;
  isVerified: boolean;
  scope: string;
  createdAt: Date;
  codeHash: Buffer;
  codeExpiresAt: Date;
  redirectUri: string;
  challenge: string;
  familyHash: Buffer | null;
  refreshHash: Buffer | null;
  usedAt: Date | null;
  network: string | null;
}

export interface OperatorTable {
  login: string;
  userId: number;
  role: string;
  domains: string[] | null;
  createdAt: Date;
}

export interface PasskeyTable {
  userId: number;
  id: Buffer;
  publicKey: Buffer;
  counter: number;
  transports: string[];
  label: string;
  createdAt: Date;
  usedAt: Date | null;
  network: string | null;
}

export interface PushHolderTable {
  name: string;
  aliveUntil: Date;
}

export interface PushSubscriptionTable {
  userId: number;
  login: string;
  id: number;
  credential: string;
  credentialExpiresAt: Date | null;
  deviceClientId: string;
  url: string;
  p256dh: Buffer | null;
  auth: Buffer | null;
  verificationCode: string;
  verificationSent: Generated<boolean>;
  verified: Generated<boolean>;
  expiresAt: Date | null;
  types: string[] | null;
  createdAt: Date;
  holder: string | null;
  pushState: string | null;
  attempts: Generated<number>;
  failingSince: Date | null;
  nextAttemptAt: Date | null;
}

export interface QuarantineTable {
  id: number;
  createdAt: Date;
  sha256: Buffer;
  day: string;
  pack: Buffer | null;
  size: number;
  mailFrom: string;
  recipients: ColumnType<AcceptedRecipient[], string, string>;
  junkReason: string | null;
  virus: string;
}

export interface ReceivedTable {
  userId: number;
  incomingId: number;
  receivedAt: Date;
}

export interface ReceivedReportTable {
  id: string;
  kind: string;
  domain: string;
  organization: string;
  reportId: string;
  sender: string;
  begins: Date;
  ends: Date;
  receivedAt: Date;
  policy: ColumnType<Record<string, unknown>, string, string>;
}

export interface ReceivedReportRowTable {
  report: string;
  no: number;
  source: string;
  result: string;
  number: number;
  what: ColumnType<Record<string, unknown>, string, string>;
}

export interface RecoveryCodeTable {
  userId: number;
  hash: Buffer;
  createdAt: Date;
}

export interface RemovedAccountTable {
  accountId: number;
  login: string;
  removedAt: Date;
  what: ColumnType<Removed, string, string>;
}

export interface ReportCountTable {
  kind: string;
  day: string;
  domain: string;
  key: Buffer;
  what: ColumnType<Record<string, unknown>, string, string>;
  number: number;
}

export interface RetentionRuleTable {
  id: string;
  scope: string;
  mailbox: string | null;
  destroyAfter: number | null;
  keepFor: number | null;
  who: string;
  createdAt: Date;
}

export interface SearchTable {
  userId: number;
  no: number;
  receivedAt: Date;
  terms: string;
  version: Generated<number>;
}

export interface SearchPartTable {
  userId: number;
  no: number;
  part: number;
  terms: string;
}

export interface SentHourTable {
  userId: number;
  hour: Date;
  messages: number;
  recipients: number;
  spam: number;
  away: number;
  hard: number;
  complaints: number;
  dayMessages: number;
  dayRecipients: number;
  daySpam: number;
  dayAway: number;
  busiest: number;
  goodDays: number;
}

export interface SentReportTable {
  kind: string;
  day: string;
  domain: string;
  takenUntil: Date;
  sentAt: Date | null;
}

export interface SettingTable {
  name: string;
  value: string;
}

export interface SourceAddressTable {
  address: string;
  since: Date;
  restsUntil: Date | null;
  restReason: string | null;
  rests: Generated<number>;
}

export interface SourceDayTable {
  address: string;
  provider: string;
  day: string;
  messages: number;
  refused: number;
}

export interface SpamTokenTable {
  userId: number;
  token: number;
  ham: number;
  spam: number;
  seenOn: string;
}

export interface StsPolicyTable {
  domain: string;
  policyId: string;
  policy: string;
  checkedAt: Date;
  usedAt: Date;
  expiresAt: Date;
}

export interface SubmissionTable {
  userId: number;
  id: number;
  identityId: number;
  emailId: number;
  threadId: number;
  envelope: ColumnType<Envelope, string, string>;
  sha256: Buffer;
  sendAt: Date;
  undoStatus: UndoStatus;
  dsnBlobIds: Generated<string[]>;
  mdnBlobIds: Generated<string[]>;
  createdAt: Date;
  destroyed: Generated<boolean>;
  spamTenths: number | null;
  bulk: Generated<boolean>;
}

export interface SuppressionTable {
  userId: number;
  address: string;
  reason: string;
  since: Date;
}

export interface ThreadRefTable {
  userId: number;
  idHash: number;
  subjectHash: number;
  threadId: number;
}

export interface TokenTable {
  userId: number;
  hash: Buffer;
  id: string;
  login: string;
  label: string;
  createdAt: Date;
  expiresAt: Date | null;
  isWeb: Generated<boolean>;
  agent: string | null;
  usedAt: Date | null;
  network: string | null;
  grantId: string | null;
  scope: string | null;
}

export interface TotpTable {
  userId: number;
  secret: string;
  lastStep: number;
  createdAt: Date;
  usedAt: Date | null;
}

export interface TrafficTable {
  minute: Date;
  kind: string;
  what: string;
  count: number;
}

export interface VacationTable {
  userId: number;
  isEnabled: boolean;
  fromDate: Date | null;
  toDate: Date | null;
  subject: string | null;
  textBody: string | null;
  htmlBody: string | null;
}

export interface VacationAnswerTable {
  userId: number;
  sender: string;
  answeredAt: Date;
}

export interface DB {
  account: AccountTable;
  accountAccess: AccountAccessTable;
  address: AddressTable;
  appPassword: AppPasswordTable;
  attempt: AttemptTable;
  audit: AuditTable;
  blobRef: BlobRefTable;
  bounce: BounceTable;
  change: ChangeTable;
  correspondent: CorrespondentTable;
  dataExport: DataExportTable;
  deadMember: DeadMemberTable;
  deadObject: DeadObjectTable;
  deletedEmail: DeletedEmailTable;
  deletedMailbox: DeletedMailboxTable;
  delivery: DeliveryTable;
  dkimKey: DkimKeyTable;
  domain: DomainTable;
  due: DueTable;
  email: EmailTable;
  emailKeyword: EmailKeywordTable;
  emailMailbox: EmailMailboxTable;
  generalSuppression: GeneralSuppressionTable;
  greylist: GreylistTable;
  identity: IdentityTable;
  importItem: ImportItemTable;
  importSource: ImportSourceTable;
  incoming: IncomingTable;
  invite: InviteTable;
  junkMark: JunkMarkTable;
  knownNetwork: KnownNetworkTable;
  legalHold: LegalHoldTable;
  login: LoginTable;
  mailEvent: MailEventTable;
  mailbox: MailboxTable;
  mailboxSubscription: MailboxSubscriptionTable;
  maskedAddress: MaskedAddressTable;
  message: MessageTable;
  migration: MigrationTable;
  oauthClient: OauthClientTable;
  oauthGrant: OauthGrantTable;
  operator: OperatorTable;
  passkey: PasskeyTable;
  pushHolder: PushHolderTable;
  pushSubscription: PushSubscriptionTable;
  quarantine: QuarantineTable;
  received: ReceivedTable;
  receivedReport: ReceivedReportTable;
  receivedReportRow: ReceivedReportRowTable;
  recoveryCode: RecoveryCodeTable;
  removedAccount: RemovedAccountTable;
  reportCount: ReportCountTable;
  retentionRule: RetentionRuleTable;
  search: SearchTable;
  searchPart: SearchPartTable;
  sentHour: SentHourTable;
  sentReport: SentReportTable;
  setting: SettingTable;
  sourceAddress: SourceAddressTable;
  sourceDay: SourceDayTable;
  spamToken: SpamTokenTable;
  stsPolicy: StsPolicyTable;
  submission: SubmissionTable;
  suppression: SuppressionTable;
  threadRef: ThreadRefTable;
  token: TokenTable;
  totp: TotpTable;
  traffic: TrafficTable;
  vacation: VacationTable;
  vacationAnswer: VacationAnswerTable;
}

/** Postgres's names of the columns' types. */
export const columnTypes: { readonly [Table in keyof DB]: { readonly [Column in keyof DB[Table]]: string } } = {
  account: {
    userId: "int8",
    name: "text",
    modseq: "int8",
    lastId: "int8",
    epoch: "int4",
    prunedModseq: "int8",
    createdAt: "timestamptz",
    used: "int8",
    quota: "int8",
    quotaId: "int8",
    reindexedModseq: "int8",
    sending: "jsonb",
    isHeld: "bool",
    keepFor: "int4",
  },
  accountAccess: {
    login: "text",
    accountId: "int8",
    createdAt: "timestamptz",
  },
  address: {
    address: "text",
    userId: "int8",
    createdAt: "timestamptz",
    maskedId: "int8",
    isPaused: "bool",
    forwards: "text[]",
    keepsCopy: "bool",
  },
  appPassword: {
    userId: "int8",
    login: "text",
    id: "text",
    label: "text",
    passwordHash: "text",
    createdAt: "timestamptz",
    usedAt: "timestamptz",
    network: "text",
  },
  attempt: {
    userId: "int8",
    submissionId: "int8",
    no: "int4",
    attempt: "int4",
    server: "int4",
    mailId: "int8",
    at: "timestamptz",
    milliseconds: "int4",
    mailFrom: "text",
    recipients: "jsonb",
    host: "text",
    address: "text",
    tls: "text",
    outcome: "text",
    reply: "text",
    error: "text",
    transcript: "text",
  },
  audit: {
    userId: "int8",
    seq: "int8",
    at: "timestamptz",
    who: "text",
    what: "jsonb",
    prev: "bytea",
    hash: "bytea",
  },
  blobRef: {
    userId: "int8",
    sha256: "bytea",
    day: "date",
    size: "int8",
    expiresAt: "timestamptz",
    releasedAt: "timestamptz",
    uploaders: "int8[]",
    pack: "bytea",
  },
  bounce: {
    userId: "int8",
    modseq: "int8",
    no: "int4",
    kind: "text",
    source: "text",
    recipient: "text",
    destination: "text",
    submissionId: "int8",
    reply: "text",
    at: "timestamptz",
  },
  change: {
    userId: "int8",
    type: "int2",
    modseq: "int8",
    id: "int8",
    kind: "int2",
    threadId: "int8",
    changedAt: "timestamptz",
    receivedAt: "timestamptz",
  },
  correspondent: {
    userId: "int8",
    address: "text",
    domain: "text",
    shape: "text",
    nameKey: "text",
    writtenAt: "timestamptz",
  },
  dataExport: {
    userId: "int8",
    id: "int8",
    state: "text",
    createdAt: "timestamptz",
    done: "int4",
    total: "int4",
    attempts: "int4",
    leasedUntil: "timestamptz",
    sha256: "bytea",
    size: "int8",
    expiresAt: "timestamptz",
    hidden: "bool",
  },
  deadMember: {
    pack: "bytea",
    sha256: "bytea",
    day: "date",
    diedAt: "timestamptz",
  },
  deadObject: {
    sha256: "bytea",
    day: "date",
    diedAt: "timestamptz",
  },
  deletedEmail: {
    userId: "int8",
    id: "int8",
    sha256: "bytea",
    size: "int4",
    receivedAt: "timestamptz",
    mailboxIds: "int8[]",
    keywords: "text[]",
    taughtSpam: "bool",
    from: "text",
    subject: "text",
    scan: "text",
    authentication: "jsonb",
    deletedAt: "timestamptz",
    hidden: "bool",
  },
  deletedMailbox: {
    userId: "int8",
    id: "int8",
    name: "text",
    parentId: "int8",
    role: "text",
    sortOrder: "int4",
    isSubscribed: "bool",
    deletedAt: "timestamptz",
  },
  delivery: {
    userId: "int8",
    submissionId: "int8",
    no: "int4",
    rcptTo: "text",
    parameters: "jsonb",
    state: "text",
    attempts: "int4",
    nextAttemptAt: "timestamptz",
    leasedBy: "text",
    leasedUntil: "timestamptz",
    smtpReply: "text",
    delivered: "text",
    displayed: "text",
    incomingId: "int8",
    route: "text",
    returnReply: "text",
    warned: "bool",
    heldFor: "text",
    releasedAt: "timestamptz",
    keptSince: "timestamptz",
    automatic: "bool",
    urgedAt: "timestamptz",
  },
  dkimKey: {
    domain: "text",
    selector: "text",
    privateKey: "text",
    state: "text",
    createdAt: "timestamptz",
    since: "timestamptz",
  },
  domain: {
    name: "text",
    dkimSelector: "text",
    dkimKey: "text",
    createdAt: "timestamptz",
    stsMode: "text",
    stsMx: "text[]",
    needsSecondFactor: "bool",
  },
  due: {
    userId: "int8",
    submissionId: "int8",
    nextAttemptAt: "timestamptz",
    bulk: "bool",
    since: "timestamptz",
  },
  email: {
    userId: "int8",
    id: "int8",
    no: "int8",
    threadId: "int8",
    receivedAt: "timestamptz",
    sentAt: "timestamptz",
    size: "int4",
    hasAttachment: "bool",
    mailboxIds: "int8[]",
    keywords: "text[]",
    taughtSpam: "bool",
  },
  emailKeyword: {
    userId: "int8",
    keyword: "text",
    receivedAt: "timestamptz",
    emailId: "int8",
  },
  emailMailbox: {
    userId: "int8",
    mailboxId: "int8",
    emailId: "int8",
    threadId: "int8",
    receivedAt: "timestamptz",
    seen: "bool",
    draft: "bool",
    head: "bool",
  },
  generalSuppression: {
    address: "text",
    reason: "text",
    since: "timestamptz",
  },
  greylist: {
    key: "bytea",
    firstAt: "timestamptz",
    lastAt: "timestamptz",
    isKnown: "bool",
  },
  identity: {
    userId: "int8",
    id: "int8",
    name: "text",
    email: "text",
    replyTo: "jsonb",
    bcc: "jsonb",
    textSignature: "text",
    htmlSignature: "text",
    mayDelete: "bool",
  },
  importItem: {
    userId: "int8",
    sourceId: "int8",
    key: "text",
    no: "int8",
    mailboxIds: "int8[]",
    keywords: "text[]",
    isMade: "bool",
    isSpare: "bool",
  },
  importSource: {
    userId: "int8",
    id: "int8",
    name: "text",
    state: "text",
    begunAt: "timestamptz",
    endedAt: "timestamptz",
  },
  incoming: {
    id: "int8",
    createdAt: "timestamptz",
    sha256: "bytea",
    day: "date",
    size: "int4",
    mailFrom: "text",
    recipients: "jsonb",
    leasedBy: "text",
    leasedUntil: "timestamptz",
    attempts: "int4",
    lastError: "text",
    junkReason: "text",
    pack: "bytea",
    failures: "int4",
    setAsideAt: "timestamptz",
    unscanned: "bool",
    spam: "text",
    authentication: "jsonb",
  },
  invite: {
    id: "text",
    hash: "bytea",
    domain: "text",
    address: "text",
    who: "text",
    createdAt: "timestamptz",
    expiresAt: "timestamptz",
  },
  junkMark: {
    userId: "int8",
    senderId: "int8",
    submissionId: "int8",
    at: "timestamptz",
    told: "bool",
  },
  knownNetwork: {
    userId: "int8",
    network: "bytea",
    seenAt: "timestamptz",
    firstAt: "timestamptz",
  },
  legalHold: {
    id: "text",
    scope: "text",
    reason: "text",
    who: "text",
    placedAt: "timestamptz",
  },
  login: {
    login: "text",
    userId: "int8",
    passwordHash: "text",
    createdAt: "timestamptz",
  },
  mailEvent: {
    mailId: "int8",
    at: "timestamptz",
    event: "text",
    messageId: "text",
    addresses: "jsonb",
    fields: "jsonb",
  },
  mailbox: {
    userId: "int8",
    id: "int8",
    name: "text",
    parentId: "int8",
    role: "text",
    sortOrder: "int4",
    isSubscribed: "bool",
    totalEmails: "int4",
    unreadEmails: "int4",
    totalThreads: "int4",
    unreadThreads: "int4",
  },
  mailboxSubscription: {
    userId: "int8",
    login: "text",
    mailboxId: "int8",
  },
  maskedAddress: {
    userId: "int8",
    id: "int8",
    email: "text",
    label: "text",
    state: "text",
    createdAt: "timestamptz",
    messages: "int8",
    lastMessageAt: "timestamptz",
    senders: "jsonb",
  },
  message: {
    userId: "int8",
    no: "int8",
    sha256: "bytea",
    size: "int4",
    messageId: "text[]",
    inReplyTo: "text[]",
    refs: "text[]",
    sender: "text",
    from: "text",
    to: "text",
    cc: "text",
    bcc: "text",
    replyTo: "text",
    subject: "text",
    sentAt: "text",
    preview: "text",
    hasAttachment: "bool",
    fromKey: "text",
    toKey: "text",
    subjectKey: "text",
    header: "bytea",
    structure: "text",
    scan: "text",
    authentication: "jsonb",
  },
  migration: {
    number: "int4",
    name: "text",
    checksum: "text",
    oldestProgram: "text",
    appliedAt: "timestamptz",
  },
  oauthClient: {
    id: "text",
    name: "text",
    redirectUris: "text[]",
    createdAt: "timestamptz",
  },
  oauthGrant: {
    userId: "int8",
    id: "text",
    login: "text",
    clientId: "text",
    name: "text",
    isVerified: "bool",
    scope: "text",
    createdAt: "timestamptz",
    codeHash: "bytea",
    codeExpiresAt: "timestamptz",
    redirectUri: "text",
    challenge: "text",
    familyHash: "bytea",
    refreshHash: "bytea",
    usedAt: "timestamptz",
    network: "text",
  },
  operator: {
    login: "text",
    userId: "int8",
    role: "text",
    domains: "text[]",
    createdAt: "timestamptz",
  },
  passkey: {
    userId: "int8",
    id: "bytea",
    publicKey: "bytea",
    counter: "int8",
    transports: "text[]",
    label: "text",
    createdAt: "timestamptz",
    usedAt: "timestamptz",
    network: "text",
  },
  pushHolder: {
    name: "text",
    aliveUntil: "timestamptz",
  },
  pushSubscription: {
    userId: "int8",
    login: "text",
    id: "int8",
    credential: "text",
    credentialExpiresAt: "timestamptz",
    deviceClientId: "text",
    url: "text",
    p256dh: "bytea",
    auth: "bytea",
    verificationCode: "text",
    verificationSent: "bool",
    verified: "bool",
    expiresAt: "timestamptz",
    types: "text[]",
    createdAt: "timestamptz",
    holder: "text",
    pushState: "text",
    attempts: "int4",
    failingSince: "timestamptz",
    nextAttemptAt: "timestamptz",
  },
  quarantine: {
    id: "int8",
    createdAt: "timestamptz",
    sha256: "bytea",
    day: "date",
    pack: "bytea",
    size: "int4",
    mailFrom: "text",
    recipients: "jsonb",
    junkReason: "text",
    virus: "text",
  },
  received: {
    userId: "int8",
    incomingId: "int8",
    receivedAt: "timestamptz",
  },
  receivedReport: {
    id: "text",
    kind: "text",
    domain: "text",
    organization: "text",
    reportId: "text",
    sender: "text",
    begins: "timestamptz",
    ends: "timestamptz",
    receivedAt: "timestamptz",
    policy: "jsonb",
  },
  receivedReportRow: {
    report: "text",
    no: "int4",
    source: "text",
    result: "text",
    number: "int8",
    what: "jsonb",
  },
  recoveryCode: {
    userId: "int8",
    hash: "bytea",
    createdAt: "timestamptz",
  },
  removedAccount: {
    accountId: "int8",
    login: "text",
    removedAt: "timestamptz",
    what: "jsonb",
  },
  reportCount: {
    kind: "text",
    day: "date",
    domain: "text",
    key: "bytea",
    what: "jsonb",
    number: "int8",
  },
  retentionRule: {
    id: "text",
    scope: "text",
    mailbox: "text",
    destroyAfter: "int4",
    keepFor: "int4",
    who: "text",
    createdAt: "timestamptz",
  },
  search: {
    userId: "int8",
    no: "int8",
    receivedAt: "timestamptz",
    terms: "tsvector",
    version: "int2",
  },
  searchPart: {
    userId: "int8",
    no: "int8",
    part: "int4",
    terms: "tsvector",
  },
  sentHour: {
    userId: "int8",
    hour: "timestamptz",
    messages: "int4",
    recipients: "int4",
    spam: "int4",
    away: "int4",
    hard: "int4",
    complaints: "int4",
    dayMessages: "int4",
    dayRecipients: "int4",
    daySpam: "int4",
    dayAway: "int4",
    busiest: "int4",
    goodDays: "int4",
  },
  sentReport: {
    kind: "text",
    day: "date",
    domain: "text",
    takenUntil: "timestamptz",
    sentAt: "timestamptz",
  },
  setting: {
    name: "text",
    value: "text",
  },
  sourceAddress: {
    address: "text",
    since: "timestamptz",
    restsUntil: "timestamptz",
    restReason: "text",
    rests: "int4",
  },
  sourceDay: {
    address: "text",
    provider: "text",
    day: "date",
    messages: "int4",
    refused: "int4",
  },
  spamToken: {
    userId: "int8",
    token: "int4",
    ham: "int4",
    spam: "int4",
    seenOn: "date",
  },
  stsPolicy: {
    domain: "text",
    policyId: "text",
    policy: "text",
    checkedAt: "timestamptz",
    usedAt: "timestamptz",
    expiresAt: "timestamptz",
  },
  submission: {
    userId: "int8",
    id: "int8",
    identityId: "int8",
    emailId: "int8",
    threadId: "int8",
    envelope: "jsonb",
    sha256: "bytea",
    sendAt: "timestamptz",
    undoStatus: "text",
    dsnBlobIds: "text[]",
    mdnBlobIds: "text[]",
    createdAt: "timestamptz",
    destroyed: "bool",
    spamTenths: "int4",
    bulk: "bool",
  },
  suppression: {
    userId: "int8",
    address: "text",
    reason: "text",
    since: "timestamptz",
  },
  threadRef: {
    userId: "int8",
    idHash: "int8",
    subjectHash: "int8",
    threadId: "int8",
  },
  token: {
    userId: "int8",
    hash: "bytea",
    id: "text",
    login: "text",
    label: "text",
    createdAt: "timestamptz",
    expiresAt: "timestamptz",
    isWeb: "bool",
    agent: "text",
    usedAt: "timestamptz",
    network: "text",
    grantId: "text",
    scope: "text",
  },
  totp: {
    userId: "int8",
    secret: "text",
    lastStep: "int8",
    createdAt: "timestamptz",
    usedAt: "timestamptz",
  },
  traffic: {
    minute: "timestamptz",
    kind: "text",
    what: "text",
    count: "int8",
  },
  vacation: {
    userId: "int8",
    isEnabled: "bool",
    fromDate: "timestamptz",
    toDate: "timestamptz",
    subject: "text",
    textBody: "text",
    htmlBody: "text",
  },
  vacationAnswer: {
    userId: "int8",
    sender: "text",
    answeredAt: "timestamptz",
  },
};

/** Tables whose rows belong to an account: user_id is first in their key. */
export const accountTables: ReadonlySet<string> = new Set([
  "account",
  "app_password",
  "attempt",
  "audit",
  "blob_ref",
  "bounce",
  "change",
  "correspondent",
  "data_export",
  "deleted_email",
  "deleted_mailbox",
  "delivery",
  "email",
  "email_keyword",
  "email_mailbox",
  "identity",
  "import_item",
  "import_source",
  "junk_mark",
  "known_network",
  "mailbox",
  "mailbox_subscription",
  "masked_address",
  "message",
  "oauth_grant",
  "passkey",
  "push_subscription",
  "received",
  "recovery_code",
  "search",
  "search_part",
  "sent_hour",
  "spam_token",
  "submission",
  "suppression",
  "thread_ref",
  "token",
  "totp",
  "vacation",
  "vacation_answer",
]);

/** Tables that every node of Citus has. */
export const replicatedTables: ReadonlySet<string> = new Set([
  "account_access",
  "address",
  "dkim_key",
  "domain",
  "general_suppression",
  "invite",
  "legal_hold",
  "login",
  "migration",
  "oauth_client",
  "operator",
  "retention_rule",
  "setting",
]);
