import { type Check, pass, refuse } from "./stage.ts";

const lf = 0x0a;

/**
 * Detects an end of data that other servers might see where we see text: a lone dot between line ends that are not both
 * CRLF. A peer that sends one is trying to smuggle a second message past a server that reads it differently.
 */
export const smuggling: Check<"data"> = (_, { message }) =>
  isSmuggling(message)
    ? refuse(554, "5.6.0", "a lone dot between line ends that are not CRLF: end lines by CRLF")
    : pass();

function isSmuggling(message: Buffer): boolean {
  for (let at = 1; at < message.length; at++) {
    // Byte by byte: a native search for each dot takes a second for a message of dots.
    if (message[at] !== 0x2e) continue;
    const before = message[at - 1];
    const after = message[at + 1];
    if ((before !== lf && before !== 0x0d) || (after !== lf && after !== 0x0d)) continue;
    const crlfBefore = before === lf && message[at - 2] === 0x0d;
    const crlfAfter = after === 0x0d && message[at + 2] === lf;
    if (!crlfBefore || !crlfAfter) return true;
  }
  return false;
}
