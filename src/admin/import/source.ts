/** Where a mail lies in its source. */
export interface SourceMailbox {
  /** Names from the top; empty: the inbox. */
  path: readonly string[];
  /** What the source says that it is for. */
  role?: string | undefined;
  /** Names the mailbox though it be renamed, if the source has such a name. */
  id?: string | undefined;
}

/** A mail as a source has it. */
export interface SourceMail {
  kind: "mail";
  /** Names it within its source, the same in each run. */
  key: string;
  /** The message; undefined if the source was told that it is known. */
  raw?: Buffer | undefined;
  mailboxes: readonly SourceMailbox[];
  /** Of JMAP. */
  keywords: readonly string[];
  /** Undefined: what the message says of it. */
  receivedAt: Date | undefined;
  /** Mails with the same one belong to one thread there. */
  thread?: string | undefined;
  /** The mailboxes count only if no other item of the source places the mail: as with Gmail's "All Mail". */
  isSpare?: boolean;
  /** Where it is, for people. */
  where: string;
}

/** What a source yields, in an order that may be stopped anywhere. */
export type SourceItem =
  | SourceMail
  /** It is there, and the source would not give it. It is tried again in the next run. */
  | { kind: "failed"; where: string; why: string }
  /** It is there, and of no use here: such as what a program has marked as deleted. */
  | { kind: "left"; why: string }
  /** These are there no more. */
  | { kind: "gone"; keys: readonly string[] }
  /** All mailboxes that the source has now. */
  | { kind: "mailboxes"; mailboxes: readonly SourceMailbox[] }
  /** All that came before needs not be asked for again. */
  | { kind: "state"; state: object };

/** What a source may ask of earlier runs. */
export interface Earlier {
  /** What it yielded last as its state; `{}` at first. */
  state: Record<string, unknown>;
  /** Those of the keys that were brought before. */
  known(keys: readonly string[]): Promise<ReadonlySet<string>>;
  /** The known keys with this prefix. */
  keysOf(prefix: string): AsyncIterable<string>;
}

/** Mail that is to be brought into an account. */
export interface Source {
  /** The same in each run: such as `imap:ann@mail.example.org`. Never a password. */
  name: string;
  /** How many mails it has, once that is known. */
  total?: number | undefined;
  items(earlier: Earlier): AsyncIterable<SourceItem>;
}

/** The source can't be read at all. The message is for people. */
export class SourceFault extends Error {}
