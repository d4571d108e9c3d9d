import type { Check } from "../disposition.ts";

/** RFC 9989 §7.4 (docs/adr/0011-dmarc.md): the front door has judged it. The keyword is for an account without the role. */
export const dmarcQuarantine: Check = (_message, _recipient, { junkReason: reason }) =>
  reason === null
    ? []
    : [
        { kind: "file", into: { role: "junk" }, reason },
        { kind: "keywords", keywords: ["$junk"], reason },
      ];
