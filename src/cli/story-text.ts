import type { Story } from "../admin/trace.ts";
import { mailIdOf } from "../base/mail-log.ts";

/** A story, a line a step in the order of time; whole, with what was said at each attempt. */
export function storyText({ mailId, events, attempts, deliveries, incoming }: Story, { isWhole = false } = {}): string {
  const steps = [
    ...events.map(({ at, event, messageId, fields }) => {
      return { at, text: [event, ...(messageId ? [`messageId=${messageId}`] : []), ...pairs(fields)].join("  ") };
    }),
    ...attempts.map(({ at, attempt, host, address, tls, outcome, reply, error, milliseconds, transcript }) => {
      const where = host === null ? "no server" : `${host} [${address}]${tls === null ? "" : ` ${tls}`}`;
      const line = `attempt ${attempt}  ${where}  ${outcome}: ${reply}  (${milliseconds} ms)`;
      const trouble = error === null ? "" : `  error=${error}`;
      return { at, text: `${line}${trouble}${isWhole ? `\n${indented(transcript)}` : ""}` };
    }),
  ];
  const lines = steps
    .toSorted((one, other) => one.at.getTime() - other.at.getTime())
    .map(({ at, text }) => `${at.toISOString()}  ${text}`);
  const now = deliveries.map(({ rcptTo, standing, nextAttemptAt, smtpReply }) => {
    return `${rcptTo} is ${standing}${standing === "waiting" ? `, next attempt at ${nextAttemptAt.toISOString()}` : ""}: ${smtpReply}`;
  });
  const waits = incoming && [
    `waits for its accounts${incoming.setAsideAt ? ", set aside" : ""}: ${incoming.lastError ?? "not tried yet"}`,
  ];
  return [...(mailId === null ? [] : [mailIdOf(mailId)]), ...lines, ...now, ...(waits ?? [])].join("\n");
}

const indented = (text: string) => text.replaceAll(/^/gm, "    ");

/** First who and what; the database keeps no order. */
const first = ["account", "from", "to", "reply", "reason", "remoteAddress", "helo", "tls"];

function pairs(fields: Record<string, unknown>): string[] {
  const rank = (name: string) => (first.includes(name) ? first.indexOf(name) : first.length);
  return Object.entries(fields)
    .sort(([one], [other]) => rank(one) - rank(other))
    .map(([name, value]) => `${name}=${plain(value)}`);
}

function plain(value: unknown): string {
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) return value.join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
