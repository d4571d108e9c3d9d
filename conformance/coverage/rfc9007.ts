import type { Sentence } from "./sentence.ts";

export const rfc9007: readonly Sentence[] = [
  {
    section: "1.1",
    level: "MUST",
    says: "Servers MUST support all properties specified for the new data types.",
    tests: ["rfc9007/2.2/parsed", "rfc9007/2.2/extension-fields"],
  },
  {
    section: "2",
    level: "MUST",
    says: "The fields of Disposition MUST be converted to lowercase by MDN/parse.",
    tests: ["rfc9007/2.2/parsed"],
  },
  {
    section: "2.1",
    level: "MUST",
    says: "The server MUST reject an MDN/send which does not result in setting $mdnsent.",
    tests: ["keyword-must-be-set"],
  },
  {
    section: "2.1",
    level: "MUST",
    says: "identityId or accountId that cannot be found: invalidArguments.",
    tests: ["unknown-identity"],
  },
  { section: "2.1", level: "MUST", says: "notFound, mdnAlreadySent.", tests: ["not-found", "already-sent"] },
  { section: "2.1", level: "MUST", says: "sent; the implicit Email/set.", tests: ["sent"] },
  {
    section: "2.2",
    level: "MUST",
    says: "parsed, notParsable, notFound.",
    tests: ["parsed", "not-parsable-and-not-found"],
  },
];
