import { hasThreadKeyword } from "../../../store/mail/threads-with-keyword.ts";
import type { Check } from "../disposition.ts";

/** The keyword of a conversation that its reader wants to hear no more of: one of its emails has it. */
const muted = "$muted";

/** Files what continues a muted conversation to the archive, read and muted like the rest of it. */
export const mute: Check = async ({ prepared }, _recipient, { reader }) => {
  const { keys, also } = prepared.threadKeys;
  if (!(await hasThreadKeyword(reader, [...keys, ...also], muted))) return [];
  const reason = "the conversation is muted";
  return [
    { kind: "file", into: { role: "archive" }, reason },
    { kind: "keywords", keywords: [muted, "$seen"], reason },
  ];
};
