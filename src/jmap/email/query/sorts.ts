import type { EmailSortBy } from "../../../store/email-query/criteria.ts";
import { object, text } from "../../schema.ts";
import type { SortProperty } from "../../standard/type.ts";
import { foldKeyword } from "./filters.ts";

const plain = (kind: "receivedAt" | "sentAt" | "size" | "from" | "to" | "subject"): SortProperty<EmailSortBy> => ({
  by: () => ({ kind }),
});

const keyword = (kind: "hasKeyword" | "allInThread" | "someInThread"): SortProperty<EmailSortBy> => ({
  args: object({ keyword: text }),
  by: (comparator) => ({ kind, keyword: foldKeyword(comparator.keyword as string) }),
});

/** RFC 8621 §4.4.2; the mail capability lists the same as `emailQuerySortOptions`. */
export const sorts: Record<string, SortProperty<EmailSortBy>> = {
  receivedAt: plain("receivedAt"),
  sentAt: plain("sentAt"),
  size: plain("size"),
  from: plain("from"),
  to: plain("to"),
  subject: plain("subject"),
  hasKeyword: keyword("hasKeyword"),
  allInThreadHaveKeyword: keyword("allInThread"),
  someInThreadHaveKeyword: keyword("someInThread"),
};
