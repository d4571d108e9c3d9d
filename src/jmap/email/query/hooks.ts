import { emailQueryState, queryEmailChanges } from "../../../store/email-query/changes.ts";
import type { Criterion, EmailQuery, EmailSortBy } from "../../../store/email-query/criteria.ts";
import { queryEmails } from "../../../store/email-query/page.ts";
import { bool, object, optional } from "../../schema.ts";
import type { Query, QueryHooks } from "../../standard/type.ts";
import { filters } from "./filters.ts";
import { sorts } from "./sorts.ts";

function toEmailQuery({ filter, sort, args, calculateTotal }: Query<Criterion, EmailSortBy>): EmailQuery {
  return { filter, sort, calculateTotal, collapseThreads: args.collapseThreads === true };
}

/** RFC 8621 §4.4, §4.5: Email's part of /query and /queryChanges. */
export const emailQueryHooks: QueryHooks<Criterion, EmailSortBy> = {
  filters,
  sorts,
  args: object({ collapseThreads: optional(bool) }),
  query: (query, window, reader) => queryEmails(reader, toEmailQuery(query), window),
  canCalculateChanges: () => true,
  state: (query, reader) => emailQueryState(reader, query.filter),
  queryChanges: (query, request, reader) => queryEmailChanges(reader, toEmailQuery(query), request),
};
