import type { HeaderField } from "../../mime/field.ts";
import { asDate } from "../../mime/headers.ts";
import type { MessageSummary } from "../../mime/summary.ts";

/** Of the trace, the fields nearest to us; what they say is cut, as a sender may write them. */
const maxHops = 6;
const maxField = 500;
const maxRecipients = 20;
const hourMs = 3_600_000;

/** How a message was addressed and came here, in words that statistics are kept of: senders of spam have habits of their own. */
export function habitsOf(summary: MessageSummary, fields: readonly HeaderField[]): Set<string> {
  const hops = fields
    .filter(({ name }) => name.toLowerCase() === "received")
    .map(({ value }) => value.slice(0, maxField));
  return new Set([...addressing(summary), ...hops.slice(0, maxHops).flatMap(oddities), delay(summary, hops[0])]);
}

function addressing({ to, cc }: MessageSummary): string[] {
  const all = [...(to ?? []), ...(cc ?? [])];
  const number = all.length > maxRecipients ? "many" : String(Math.ceil(Math.log2(all.length + 1)));
  return [
    `to ${number}`,
    ...all.slice(0, 3).map(({ name, email }) => {
      if (!name) return "to bare";
      return name.toLowerCase() === email.toLowerCase() ? "to itself" : "to named";
    }),
  ];
}

/** RFC 5321 §4.4: the name that the peer gave, and what the server that took the message thought of it. */
function oddities(hop: string): string[] {
  const name = /\bfrom\s+(\S+)/.exec(hop)?.[1];
  const found: string[] = [];
  if (/\bunknown\b/.test(hop)) found.push("from unknown");
  if (/may be forged/.test(hop)) found.push("from forged");
  if (name !== undefined && /^\[?[\d.]+\]?$/.test(name)) found.push("from number");
  else if (name !== undefined && !name.includes(".")) found.push("from short name");
  return found;
}

/** How long it took, by what the author's clock says. */
function delay({ sentAt }: MessageSummary, lastHop = ""): string {
  const arrivedAt = asDate(lastHop.slice(lastHop.lastIndexOf(";") + 1));
  if (arrivedAt === null || sentAt === null) return "took unknown";
  const hours = (Date.parse(arrivedAt) - Date.parse(sentAt)) / hourMs;
  if (hours < -0.5) return "took less than nothing";
  return hours < 6 ? "took hours" : hours < 48 ? "took days" : "took long";
}
