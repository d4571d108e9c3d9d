import { splitAddress } from "../../base/address.ts";
import { type HeaderField, parseHeader, unfold } from "../../mime/field.ts";
import { leaves } from "../../mime/structure.ts";
import type { MessageSummary } from "../../mime/summary.ts";
import type { Authenticated, Finding, Mark } from "./evidence.ts";
import { linkMarks } from "./marks.ts";
import { findingsOf } from "./message-rules.ts";
import { tokensOf } from "./tokens.ts";
import { readVisible } from "./visible.ts";

/** What scanning derives from a message once, for all its recipients. Plain data. */
export interface Traits {
  tokens: number[];
  findings: Finding[];
  author: { email: string; domain: string; name: string } | null;
  isAuthenticated: boolean;
  marks: Mark[];
}

const maxHeader = 64_000;
const wanted = new Set(
  "authentication-results received date message-id from to cc reply-to subject in-reply-to references list-id content-type x-mailer user-agent x-priority".split(
    " ",
  ),
);

export function readTraits(message: Buffer, summary: MessageSummary): Traits {
  const { start, end } = summary.structure.header;
  const header = message.subarray(start, Math.min(end, start + maxHeader));
  const fields = parseHeader(header, (name) => name.length <= 22 && wanted.has(name.toLowerCase()));
  const visible = readVisible(message, summary.structure);
  const attachmentNames = leaves(summary.structure).flatMap(({ name }) => name ?? []);
  const author = authorOf(summary);
  const authenticated = authenticationOf(fields, author?.domain);
  return {
    tokens: tokensOf(summary, fields, visible),
    findings: findingsOf({ summary, fields, visible, attachmentNames, authenticated }),
    author,
    isAuthenticated: authenticated.isAuthor,
    marks: linkMarks(visible.links),
  };
}

function authorOf({ from }: MessageSummary): Traits["author"] {
  const first = from?.[0];
  if (!first) return null;
  const domain = splitAddress(first.email)?.domain ?? "";
  return { email: first.email.toLowerCase(), domain, name: first.name ?? "" };
}

/** Only the field before the first Received is ours: what came with the message stands below. */
function authenticationOf(fields: HeaderField[], domain: string | undefined): Authenticated {
  const names = fields.map(({ name }) => name.toLowerCase());
  const at = names.indexOf("authentication-results");
  const received = names.indexOf("received");
  if (at === -1 || (received !== -1 && received < at)) return { results: undefined, isAuthor: true };
  const results = unfold(fields[at]!.value);
  return { results, isAuthor: domain !== undefined && isAuthor(results, domain) };
}

function isAuthor(results: string, domain: string): boolean {
  if (/\bdmarc=pass\b/.test(results)) return true;
  const passed = [
    ...results.matchAll(/\b(?:spf=pass|dkim=pass)\b[^;]*?(?:smtp\.mailfrom|header\.[id])=(?:[^\s;]*@)?([^\s;]+)/g),
  ];
  return passed.some(([, name]) => isAligned(name!.toLowerCase(), domain));
}

const isAligned = (name: string, domain: string) =>
  name === domain || domain.endsWith(`.${name}`) || name.endsWith(`.${domain}`);
