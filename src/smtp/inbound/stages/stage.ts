import type { Login } from "../../../auth/login.ts";
import type { Addressed } from "../../../mail/deliver/expand.ts";
import type { Authentication } from "../../../store/core/db.ts";
import type { AddressEntry } from "../../../store/directory/recipients.ts";
import type { IncomingHeader } from "../incoming-header.ts";

/** In the order in which a connection reaches them. */
export const stageOrder = ["connect", "secure", "auth", "helo", "mail", "rcpt", "data"] as const;
export type Stage = (typeof stageOrder)[number];

/** What is known about the connection and its peer. */
export interface Session {
  /** The peer's IP address. */
  readonly address: string;
  /** The unit that limits count: an IPv4 address, or a /64 of IPv6. */
  readonly network: string;
  /** The peer is our own machine, to which no limit applies. */
  readonly isLoopback: boolean;
  /** The name in the peer's last HELO or EHLO, in lower case; "" before the first. */
  readonly helo: string;
  /** Version and cipher of TLS. */
  readonly tls?: string;
  /** The login that AUTH has proved. */
  readonly login?: Login;
  /** Runs `work` when the connection ends, or at once if it has ended. */
  onEnd(work: () => void): void;
}

/** The path and the parameters of MAIL or RCPT. */
export interface Path {
  /** "" for the null sender. */
  address: string;
  /** Names in upper case; `true` stands for one without a value. */
  parameters: Readonly<Record<string, unknown>>;
}

export interface Transaction {
  /** "" for the null sender. */
  mailFrom: string;
  /** RFC 6531: the peer asked for SMTPUTF8. */
  isUtf8: boolean;
  /** RFC 1870: the announced number of octets; 0 when none was announced. */
  size: number;
}

/** RFC 4954: the credentials of PLAIN and LOGIN, or of OAUTHBEARER (RFC 7628) and XOAUTH2. */
export interface Credentials {
  username?: string | undefined;
  password?: string | null | undefined;
  /** PLAIN alone: whom the login wants to act for. */
  authzid?: string | undefined;
  /** A token, instead of a password. */
  accessToken?: string | undefined;
}

/** What the peer says at each stage. */
export interface Said {
  connect: object;
  secure: object;
  auth: { credentials: Credentials };
  helo: object;
  mail: Transaction & { path: Path };
  /** `recipients`: how many the transaction has already. */
  rcpt: Transaction & { path: Path; recipients: number };
  data: Transaction & { recipients: readonly Addressed[]; message: Buffer; header: IncomingHeader };
}

/** What checks find out, for later checks and for what follows. */
export interface Found {
  /** Set by AUTH. */
  login?: Login;
  /** The account whose address a submission is sent from. */
  sendingAccount?: number;
  /** The account that a recipient's mail goes to. */
  userId?: number;
  /** What the directory says of a recipient's address. */
  entry?: AddressEntry;
  /** A recipient's mail goes out by the queue, whoever has the address. */
  isOutgoing?: true;
  /** The Authentication-Results field, with its line end. */
  results?: string;
  /** The same, as it is kept with the message. */
  authentication?: Authentication | undefined;
  /** What speaks for or against the peer, by short names. It decides nothing: it is logged, and for those who weigh it. */
  clues?: readonly string[];
  /** Why the message is filed to Junk. */
  junkReason?: string;
}

/**
 * RFC 5321 §4.1.1, RFC 3207 §4.2: everything said and found that still holds. Passing a stage again drops what it and
 * later stages found.
 */
export type Facts<S extends Stage> = Readonly<Said[S] & Found>;

interface Reply {
  code: number;
  /** RFC 3463 */
  status: string;
  text: string;
  /** Goes to the log only. */
  reason?: string;
}

export type Verdict =
  | { kind: "pass"; found: Found }
  /** 5yz: permanent. */
  | ({ kind: "refuse" } & Reply)
  /** 4yz: temporary. */
  | ({ kind: "defer" } & Reply)
  /** 421, then the connection is closed. */
  | ({ kind: "disconnect" } & Reply);

export interface Check<S extends Stage> {
  (session: Session, facts: Facts<S>): Verdict | Promise<Verdict>;
  /** For the metrics; that of docs/smtp.md. */
  checkName?: string;
}

/** Names a check. */
export const named = <C extends object>(checkName: string, check: C): C => Object.assign(check, { checkName });

export type Stages = { readonly [S in Stage]: readonly Check<S>[] };

export const pass = (found: Found = {}): Verdict => ({ kind: "pass", found });

type Permanent = 501 | 530 | 534 | 535 | 550 | 552 | 553 | 554 | 555;
export const refuse = (code: Permanent, status: `5.${string}`, text: string, reason?: string): Verdict => ({
  kind: "refuse",
  ...{ code, status, text, ...(reason !== undefined && { reason }) },
});

type Transient = 450 | 451 | 452 | 454;
export const defer = (code: Transient, status: `4.${string}`, text: string, reason?: string): Verdict => ({
  kind: "defer",
  ...{ code, status, text, ...(reason !== undefined && { reason }) },
});

export const disconnect = (status: `4.${string}`, text: string, reason?: string): Verdict => ({
  kind: "disconnect",
  ...{ code: 421, status, text, ...(reason !== undefined && { reason }) },
});
