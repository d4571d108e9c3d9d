import { isHash } from "../../export/manifest.ts";

/** Objects of an archive as an import needs them. What is not of these forms is refused as a whole, with its id. */
export interface ArchivedMailbox {
  id: string;
  name: string;
  parentId: string | null;
  role: string | null;
  sortOrder: number;
  isSubscribed: boolean;
}

export interface ArchivedEmail {
  id: string;
  threadId: string;
  mailboxIds: string[];
  keywords: string[];
  receivedAt: Date;
  size: number;
  sha256: string;
  scan: object | null;
  authentication: object | null;
}

type Json = Record<string, unknown>;

const isText = (value: unknown): value is string => typeof value === "string";
const keysOf = (value: unknown) => (typeof value === "object" && value !== null ? Object.keys(value) : []);

export function parseObject(line: string): Json & { id: string } {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null || !isText((value as Json).id))
    throw new Malformed("an object without id");
  return value as Json & { id: string };
}

export function toMailbox({
  id,
  name,
  parentId,
  role,
  sortOrder,
  isSubscribed,
}: Json & { id: string }): ArchivedMailbox {
  const isSound =
    isText(name) && name !== "" && (parentId === null || isText(parentId)) && (role === null || isText(role));
  if (!isSound) throw new Malformed(`the mailbox ${id}`);
  const order = Number.isSafeInteger(sortOrder) ? (sortOrder as number) : 0;
  return {
    id,
    name,
    parentId,
    role,
    sortOrder: Math.min(Math.max(order, 0), 2 ** 31 - 1),
    isSubscribed: isSubscribed !== false,
  };
}

export function toEmail(object: Json & { id: string }): ArchivedEmail {
  const { id, threadId, mailboxIds, keywords, receivedAt, size, sha256, scan, authentication } = object;
  const date = new Date(isText(receivedAt) ? receivedAt : Number.NaN);
  const isSound = isText(threadId) && isHash(sha256) && Number.isSafeInteger(size) && !Number.isNaN(date.getTime());
  if (!isSound) throw new Malformed(`the email ${id}`);
  return {
    id,
    threadId,
    mailboxIds: keysOf(mailboxIds),
    keywords: keysOf(keywords).map((keyword) => keyword.toLowerCase()),
    receivedAt: date,
    size: size as number,
    sha256,
    scan: orNull(scan),
    authentication: orNull(authentication),
  };
}

const orNull = (value: unknown) => (typeof value === "object" ? value : null);

/** The archive says of its checksums that it is whole, and yet has what no export writes. */
export class Malformed extends Error {
  constructor(what: string) {
    super(`the archive has ${what} in a form that this program does not read`);
  }
}
