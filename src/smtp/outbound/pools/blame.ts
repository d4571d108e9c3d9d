import type { Answer } from "../reply.ts";

const ofAddress =
  /\b(?:ips?|ip address|address(?:es)?|hosts?|servers?|clients?|network|sender's ip)\b[^.\n]{0,80}\b(?:listed|blocked|blacklisted|blocklisted|block list|black list|banned|denied|poor|bad|low)\b|\b(?:reputation|dnsbl|rbl|spamhaus|spamcop|barracuda(?:central)?|blocklist|blacklist)\b/i;
/** 554 greets nobody; X.7.x is policy (RFC 3463 §3.8), which is also what greylisting uses. */
const isPolicy = /^(?:[45]\d\d [45]\.7\.|55[04]|421)/;
const isGreylisting = /gr[ea]y-?\s?list/i;

/** Whether a server refused the mail for the address that it came from: it names it, or says that it is listed. */
export function blames({ kind, smtpReply, remote }: Answer, address: string): boolean {
  if (remote === undefined || (kind !== "deferred" && kind !== "failed")) return false;
  if (!isPolicy.test(smtpReply) || isGreylisting.test(smtpReply)) return false;
  return smtpReply.includes(address) || ofAddress.test(smtpReply);
}
