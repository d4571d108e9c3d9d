export type MessageOptions = {
  subject?: string;
  from?: string;
  to?: string | null;
  cc?: string;
  bcc?: string;
  /** The Date header's value. (Default: a fixed day.) */
  date?: string;
  messageId?: string;
  inReplyTo?: string;
  references?: string;
  /** Further header lines, whole, without a line end. */
  headers?: readonly string[];
  text?: string;
  html?: string;
};

let count = 0;

/** A small valid message of RFC 5322 with CRLF; options that are not given have plain defaults. */
export function rawMessage(options: MessageOptions = {}): string {
  const serial = `${Date.now().toString(36)}.${process.pid}.${++count}`;
  const lines = [
    `From: ${options.from ?? "Conformance Sender <sender@conformance.example>"}`,
    ...(options.to === null ? [] : [`To: ${options.to ?? "Conformance Recipient <recipient@conformance.example>"}`]),
    ...(options.cc === undefined ? [] : [`Cc: ${options.cc}`]),
    ...(options.bcc === undefined ? [] : [`Bcc: ${options.bcc}`]),
    `Subject: ${options.subject ?? `Conformance ${serial}`}`,
    `Date: ${options.date ?? "Tue, 14 Jan 2025 10:20:30 +0000"}`,
    `Message-ID: ${options.messageId ?? `<${serial}@conformance.example>`}`,
    ...(options.inReplyTo === undefined ? [] : [`In-Reply-To: ${options.inReplyTo}`]),
    ...(options.references === undefined ? [] : [`References: ${options.references}`]),
    ...(options.headers ?? []),
    "MIME-Version: 1.0",
  ];
  return `${[...lines, ...content(options)].join("\r\n")}\r\n`;
}

function content({ text, html }: MessageOptions): string[] {
  const part = (type: string, body: string): string[] => [
    `Content-Type: ${type}; charset=utf-8`,
    "Content-Transfer-Encoding: 8bit",
    "",
    ...body.split(/\r?\n/),
  ];
  if (html === undefined) return part("text/plain", text ?? "A message of the conformance suite.");
  if (text === undefined) return part("text/html", html);
  const edge = "=_conformance";
  return [
    `Content-Type: multipart/alternative; boundary="${edge}"`,
    "",
    `--${edge}`,
    ...part("text/plain", text),
    `--${edge}`,
    ...part("text/html", html),
    `--${edge}--`,
  ];
}
