import type { Sentence } from "./sentence.ts";

export const rfc9749: readonly Sentence[] = [
  { section: "3", level: "MUST", says: "applicationServerKey.", tests: ["key"] },
  { section: "4", level: "MUST", says: "POST requests MUST be authenticated by the key.", tests: ["authorization"] },
  {
    section: "4",
    level: "MUST",
    says: "A changed key MUST change the session's state and be used from then on.",
    why: "no client can make the server change its key",
  },
];
