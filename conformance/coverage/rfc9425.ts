import type { Sentence } from "./sentence.ts";

export const rfc9425: readonly Sentence[] = [
  {
    section: "4.1",
    level: "MUST",
    says: "Types whose capability is not in “using” MUST be filtered out; a quota without types MUST NOT be returned.",
    tests: ["types-of-using"],
  },
  {
    section: "4.1",
    level: "SHOULD",
    says: "warnLimit SHOULD be lower than softLimit, softLimit lower than hardLimit.",
    tests: ["limits-in-order"],
  },
  { section: "4.2", level: "MUST", says: "Quota/get with its properties.", tests: ["properties", "used-grows"] },
  {
    section: "4.3",
    level: "MUST",
    says: "updatedProperties MUST be null if the server cannot tell.",
    tests: ["updated-properties"],
  },
  {
    section: "4.4",
    level: "MUST",
    says: "Filters; name and used MUST be supported for sorting.",
    tests: ["filters", "sorts"],
  },
  {
    section: "4.5",
    level: "MUST",
    says: "Quota/queryChanges is a standard /queryChanges.",
    why: "a quota comes or goes by no method of JMAP",
  },
  {
    section: "6",
    level: "MUST",
    says: "Servers MUST support the JMAP push mechanisms for the Quota type.",
    tests: ["state-change"],
  },
];
