import { decodeId, idPrefix } from "../../../base/ids.ts";
import { instant } from "../../../base/instant.ts";
import { type SearchScope, searchQuery, TooManyWords } from "../../../search/search-query.ts";
import { encodeBlobId } from "../../../store/blobs/blob-id.ts";
import type { Criterion } from "../../../store/email-query/criteria.ts";
import { capabilities } from "../../capability-names.ts";
import { MethodError } from "../../errors.ts";
import type { Call } from "../../method.ts";
import { bool, id, list, matching, object, optional, type Schema, text, unsignedInt, utcDate } from "../../schema.ts";
import type { FilterProperty } from "../../standard/type.ts";

function property<T>(schema: Schema<T>, criterion: (value: T, call: Call) => Criterion): FilterProperty<Criterion> {
  return { schema, criterion };
}

const keyword = (kind: "hasKeyword" | "notKeyword" | "allInThread" | "someInThread" | "noneInThread") =>
  property(text, (value) => ({ kind, keyword: foldKeyword(value) }));

/** RFC 8621 §4.1.1. Postgres refuses a NUL, which no keyword contains. */
export const foldKeyword = (value: string) => value.toLowerCase().replaceAll("\0", "\ufffd");

const words = (scope: SearchScope) => property(text, (value, call) => terms(value, scope, call));

function terms(value: string, scope: SearchScope, call: Call): Criterion {
  try {
    const found = searchQuery(value, scope, call.accountId);
    if (found === "all") return { kind: "always" };
    return found === "none" ? { kind: "never" } : { kind: "terms", ...found };
  } catch (error) {
    if (error instanceof TooManyWords) throw new MethodError("unsupportedFilter", error.message);
    throw error;
  }
}

const mailbox = (wireId: string) => decodeId(idPrefix.mailbox, wireId);

function header([name, value]: string[], call: Call): Criterion {
  const { blobs } = call.services;
  // No name is longer than a line (RFC 5322 §2.1.1), and searching for one would take long.
  if (name!.length > 998) return { kind: "never" };
  return {
    kind: "header",
    name: name!,
    text: value,
    readHeader: (reader, { sha256 }) => blobs.read(reader, encodeBlobId(sha256)),
  };
}

const result = optional(matching("^[a-z]{1,20}$"));
const wantedResults = object({ auth: result, spf: result, dkim: result, dmarc: result, arc: result, bimi: result });
/** A mail may have several signatures and authors: one of them must have the result. */
const severalOf = new Set(["dkim", "dmarc"]);
const missing = `the filter "authentication" needs ${capabilities.authentication} in using`;

/** RFC 8621 §4.4.1. `before` and `after` are about receivedAt. */
export const filters: Record<string, FilterProperty<Criterion>> = {
  inMailbox: property(id, (value) => {
    const mailboxId = mailbox(value);
    return mailboxId === undefined ? { kind: "never" } : { kind: "inMailbox", mailboxId };
  }),
  inMailboxOtherThan: property(list(id), (value) => ({
    kind: "inMailboxOtherThan",
    mailboxIds: value.map(mailbox).filter((one) => one !== undefined),
  })),
  before: property(utcDate, (value) => ({ kind: "before", at: instant(value) })),
  after: property(utcDate, (value) => ({ kind: "after", at: instant(value) })),
  minSize: property(unsignedInt, (size) => ({ kind: "minSize", size })),
  maxSize: property(unsignedInt, (size) => ({ kind: "maxSize", size })),
  allInThreadHaveKeyword: keyword("allInThread"),
  someInThreadHaveKeyword: keyword("someInThread"),
  noneInThreadHaveKeyword: keyword("noneInThread"),
  hasKeyword: keyword("hasKeyword"),
  notKeyword: keyword("notKeyword"),
  hasAttachment: property(bool, (value) => ({ kind: "hasAttachment", value })),
  text: words("text"),
  from: words("from"),
  to: words("to"),
  cc: words("cc"),
  bcc: words("bcc"),
  subject: words("subject"),
  body: words("body"),
  /** An extension of this server (docs/jmap.md). */
  authentication: property(wantedResults, (wanted, call) => {
    if (!call.using.has(capabilities.authentication)) throw new MethodError("unsupportedFilter", missing);
    const part = Object.entries(wanted).map(([method, result]) => [
      method,
      severalOf.has(method) ? [{ result }] : { result },
    ]);
    return { kind: "authentication", part: JSON.stringify(Object.fromEntries(part)) };
  }),
  header: property(list(text, { minItems: 1, maxItems: 2 }), header),
};
