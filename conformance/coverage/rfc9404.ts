import type { Sentence } from "./sentence.ts";

export const rfc9404: readonly Sentence[] = [
  {
    section: "3",
    level: "MUST",
    says: "The capability names its limits; at least 64 DataSourceObjects MUST be allowed.",
    tests: ["capability", "data-sources"],
  },
  {
    section: "4.1",
    level: "MUST",
    says: "Blob/upload: text, base64, concatenation, creation ids.",
    tests: ["text", "base64", "concatenated", "creation-id"],
  },
  {
    section: "4.1",
    level: "MUST",
    says: "An invalid DataSourceObject or range results in notCreated.",
    tests: ["range-past-end", "bad-sources"],
  },
  {
    section: "4.2",
    level: "MUST",
    says: "Blob/get: data, size, isEncodingProblem, isTruncated, digests.",
    tests: ["defaults", "encoding-problem", "range", "digest", "not-found"],
  },
  { section: "4.2", level: "MUST", says: "Blobs of others are not to be seen.", tests: ["of-another"] },
  {
    section: "4.3",
    level: "MUST",
    says: "Blob/lookup: an empty array for each type MUST be returned for a blob that is not visible.",
    tests: ["email"],
  },
  { section: "4.3", level: "MUST", says: "unknownDataType.", tests: ["unknown-type"] },
];
