import { idPrefix } from "../../base/ids.ts";
import { capabilities } from "../capability-names.ts";
import type { DataType } from "../standard/type.ts";
import { fetchSubmissions } from "./fetch.ts";
import { submissionProperties } from "./properties.ts";
import { type Criterion, type SortBy, submissionQuery } from "./query.ts";
import { submissionSet } from "./set.ts";

/** RFC 8621 §7 */
export const submission = {
  name: "EmailSubmission",
  capability: capabilities.submission,
  prefix: idPrefix.submission,
  properties: submissionProperties,
  fetch: fetchSubmissions,
  set: submissionSet,
  query: submissionQuery,
} satisfies DataType<Criterion, SortBy>;
