import { splitAddress } from "../../base/address.ts";
import { fieldsNamed, lastField } from "../../mime/field.ts";
import type { Evidence, Finding } from "./evidence.ts";
import { namesAnotherHost } from "./marks.ts";

interface Rule {
  name: string;
  points: number;
  /** For the reader of the message. */
  reason: string;
  holds(evidence: Evidence): boolean;
}

const result = (method: string, value: string) => {
  const form = new RegExp(`\\b${method}=${value}\\b`);
  return ({ authenticated: { results } }: Evidence) => results !== undefined && form.test(results);
};
const maxSubject = 1_000;
const subjectOf = ({ summary }: Evidence) => (summary.subject ?? "").slice(0, maxSubject);
const isList = ({ fields }: Evidence) => lastField(fields, "List-Id") !== undefined;
const domainOf = (email: string) => splitAddress(email)?.domain ?? "";
const executable = /\.(?:exe|scr|pif|com|cpl|bat|cmd|vbs|vbe|js|jse|wsf|hta|lnk|jar|msi|ps1|iso|img|vhd)$/i;

/** Each looks at the message alone. The points are those of a cautious reader: several must meet. */
const rules: readonly Rule[] = [
  {
    name: "dmarc-fails",
    points: 1.5,
    reason: "the author's domain did not send it (DMARC)",
    holds: result("dmarc", "fail"),
  },
  { name: "spf-fails", points: 1.2, reason: "its domain does not send from there (SPF)", holds: result("spf", "fail") },
  {
    name: "spf-softfails",
    points: 0.5,
    reason: "its domain hardly sends from there (SPF)",
    holds: result("spf", "softfail"),
  },
  { name: "dkim-fails", points: 0.3, reason: "its signature is broken (DKIM)", holds: result("dkim", "fail") },
  {
    name: "unproved",
    points: 0.6,
    reason: "nothing proves who sent it",
    holds: ({ authenticated: { results } }) => results !== undefined && !/=pass\b/.test(results),
  },
  { name: "no-author", points: 1.5, reason: "it names no author", holds: ({ summary }) => !summary.from?.length },
  { name: "no-date", points: 0.8, reason: "it has no readable date", holds: ({ summary }) => summary.sentAt === null },
  {
    name: "no-message-id",
    points: 0.8,
    reason: "it has no Message-ID",
    holds: ({ summary }) => !summary.messageId?.length,
  },
  {
    name: "several-froms",
    points: 1.5,
    reason: "it has several From fields",
    holds: ({ fields }) => fieldsNamed(fields, "From").length > 1,
  },
  {
    name: "no-recipient",
    points: 0.4,
    reason: "it names no recipient",
    holds: (evidence) => !evidence.summary.to?.length && !evidence.summary.cc?.length && !isList(evidence),
  },
  {
    name: "name-is-another-address",
    points: 1.6,
    reason: "the author's name is another address",
    holds: ({ summary }) =>
      (summary.from ?? []).some(({ name, email }) => {
        const shown = /[^\s<>"']+@([\w-]+(?:\.[\w-]+)+)/.exec(name ?? "")?.[1]?.toLowerCase();
        return shown !== undefined && shown !== domainOf(email);
      }),
  },
  {
    name: "answers-elsewhere",
    points: 0.5,
    reason: "answers go to another domain",
    holds: (evidence) => {
      const { from, replyTo } = evidence.summary;
      if (!from?.length || !replyTo?.length || isList(evidence)) return false;
      return !replyTo.some(({ email }) => domainOf(email) === domainOf(from[0]!.email));
    },
  },
  {
    name: "feigned-answer",
    points: 0.7,
    reason: "it pretends to be an answer",
    holds: (evidence) =>
      /^re: /i.test(subjectOf(evidence)) && !evidence.summary.inReplyTo?.length && !evidence.summary.references?.length,
  },
  {
    name: "subject-shouts",
    points: 0.7,
    reason: "the subject is in capitals",
    holds: (evidence) => {
      const letters = subjectOf(evidence).replace(/\P{L}/gu, "");
      return letters.length >= 12 && letters === letters.toUpperCase() && letters !== letters.toLowerCase();
    },
  },
  {
    name: "subject-cries",
    points: 0.5,
    reason: "the subject has many signs",
    holds: (evidence) => /[!?$€£]{3}|!.*!/.test(subjectOf(evidence)),
  },
  {
    name: "html-alone",
    points: 0.4,
    reason: "it is HTML without a plain text",
    holds: ({ visible }) => visible.hasHtml && !visible.hasPlain,
  },
  {
    name: "picture-alone",
    points: 1,
    reason: "it is a picture with hardly any text",
    holds: ({ visible }) => visible.hasImage && visible.text.length < 120,
  },
  { name: "asks-by-form", points: 0.8, reason: "it has a form to fill in", holds: ({ visible }) => visible.hasForm },
  {
    name: "link-to-number",
    points: 1.6,
    reason: "a link goes to a number instead of a name",
    holds: ({ visible }) => visible.links.some(({ host }) => /^[\d.]+$/.test(host) || host.startsWith("[")),
  },
  {
    name: "link-hides-host",
    points: 1.8,
    reason: "a link hides its host behind another name",
    holds: ({ visible }) => visible.links.some(({ url }) => /^https?:\/\/[^/?#]*@/i.test(url)),
  },
  {
    name: "link-names-another-host",
    points: 0.8,
    reason: "a link goes elsewhere than its text says",
    holds: ({ visible }) => visible.links.some(namesAnotherHost),
  },
  {
    name: "program-attached",
    points: 2.5,
    reason: "a program is attached",
    holds: ({ attachmentNames }) => attachmentNames.some((name) => executable.test(name.trim())),
  },
  {
    name: "two-endings",
    points: 2,
    reason: "an attachment hides what it is",
    holds: ({ attachmentNames }) =>
      attachmentNames.some(
        (name) => /\.(?:pdf|docx?|xlsx?|jpe?g|png|txt)\s*\.\w{2,4}$/i.test(name.trim()) && executable.test(name.trim()),
      ),
  },
];

export function findingsOf(evidence: Evidence): Finding[] {
  return rules
    .filter((rule) => rule.holds(evidence))
    .map(({ name, points, reason }) => ({ rule: name, points, reason }));
}
