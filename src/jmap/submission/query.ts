import { decodeId, idPrefix } from "../../base/ids.ts";
import { instant } from "../../base/instant.ts";
import { findSubmissions, type SubmissionRow } from "../../store/queues/submissions.ts";
import { id, list, oneOf, utcDate } from "../schema.ts";
import { inMemoryQuery } from "../standard/memory-query.ts";
import type { QueryHooks, SortKey } from "../standard/type.ts";

export type Criterion = (row: SubmissionRow) => boolean;
export type SortBy = "emailId" | "threadId" | "sentAt";

const among = (column: "identityId" | "emailId" | "threadId", prefix: string) => ({
  schema: list(id),
  criterion: (ids: string[]): Criterion => {
    const wanted = new Set(ids.map((text) => decodeId(prefix, text)));
    return (row) => wanted.has(row[column]);
  },
});

const sortValue = (row: SubmissionRow, by: SortBy) => (by === "sentAt" ? row.sendAt.getTime() : row[by]);

/** RFC 8621 §7.3 */
export const submissionQuery: QueryHooks<Criterion, SortBy> = {
  filters: {
    identityIds: among("identityId", idPrefix.identity),
    emailIds: among("emailId", idPrefix.email),
    threadIds: among("threadId", idPrefix.thread),
    undoStatus: {
      schema: oneOf("pending", "final", "canceled"),
      criterion:
        (status: string): Criterion =>
        (row) =>
          row.undoStatus === status,
    },
    before: {
      schema: utcDate,
      criterion: (date: string): Criterion => {
        const limit = instant(date).getTime();
        return (row) => row.sendAt.getTime() < limit;
      },
    },
    after: {
      schema: utcDate,
      criterion: (date: string): Criterion => {
        const limit = instant(date).getTime();
        return (row) => row.sendAt.getTime() >= limit;
      },
    },
  },
  sorts: {
    emailId: { by: () => "emailId" },
    threadId: { by: () => "threadId" },
    sentAt: { by: () => "sentAt" },
    // Many clients send the property's own name.
    sendAt: { by: () => "sentAt" },
  },
  ...inMemoryQuery<SubmissionRow, Criterion, SortBy>({
    type: "EmailSubmission",
    load: (reader) => findSubmissions(reader, null),
    matches: (criterion, row) => criterion(row),
    compare: ({ by }: SortKey<SortBy>, a, b) => sortValue(a, by) - sortValue(b, by),
  }),
};
