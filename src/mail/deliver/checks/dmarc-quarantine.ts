import type { Check } from "../disposition.ts";

/**
 * RFC 9989 §7.4 (docs/adr/0011-dmarc.md): applies the verdict that was made on arrival. The keyword serves accounts
 * without a junk mailbox.
 */
export const dmarcQuarantine: Check = (_message, _recipient, { junkReason: reason }) =>
  reason === null
    ? []
    : [
        { kind: "file", into: { role: "junk" }, reason },
        { kind: "keywords", keywords: ["$junk"], reason },
      ];
