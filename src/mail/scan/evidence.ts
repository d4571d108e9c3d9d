import type { HeaderField } from "../../mime/field.ts";
import type { MessageSummary } from "../../mime/summary.ts";
import type { Visible } from "./visible.ts";

/** One reason for or against a message. Positive points speak for spam. */
export interface Finding {
  rule: string;
  points: number;
  /** For the reader of the message. */
  reason: string;
}

/** A sign of phishing, which a client shows with the message. */
export interface Mark {
  kind: "link" | "look-alike" | "namesake";
  text: string;
  /** What it claims to be: the host in a link's text, the domain or address that the user knows. */
  shown: string;
  /** What it is. */
  actual: string;
}

/** What a message's authentication found (RFC 8601), as our own field says. */
export interface Authenticated {
  /** Undefined for mail that did not come by SMTP. */
  results: string | undefined;
  /** The author's domain sent it: DMARC passes, or an aligned SPF or DKIM identity does. */
  isAuthor: boolean;
}

/** What rules look at. */
export interface Evidence {
  summary: MessageSummary;
  fields: HeaderField[];
  visible: Visible;
  attachmentNames: string[];
  authenticated: Authenticated;
}
