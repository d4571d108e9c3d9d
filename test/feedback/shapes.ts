/** One message of the corpus and what it is. */
export interface Sample {
  name: string;
  message: Buffer;
  /** `good`: a report of success; `none`: no feedback at all. */
  expected: "hard" | "soft" | "complaint" | "challenge" | "good" | "none";
  /** The recipients that it must name; absent where the report names none. */
  about?: string[];
  /** "" unless given. */
  mailFrom?: string;
}

export const token = "bnc-1-a-abc-0123456789abcdef@here.test";

const crlf = (text: string) => text.replace(/\r?\n/g, "\r\n");

const originalHeader = `Return-Path: <${token}>
Received: from mail.here.test (mail.here.test [192.0.2.1]) by mx.far.test with ESMTPS id 4Xy; Tue, 1 Dec 2026 09:00:00 +0000
From: Ann <ann@here.test>
To: bob@far.test
Subject: Lunch
Message-ID: <m1@here.test>
Date: Tue, 1 Dec 2026 08:59:58 +0000`;

interface Told {
  to: string;
  original?: string;
  action?: string;
  status?: string;
  diagnostic?: string;
  remote?: string;
}

interface Dsn {
  from?: string;
  subject?: string;
  text?: string;
  mta?: string;
  told: Told[];
  fields?: string;
  type?: string;
}

/** RFC 3464, as most servers write it. */
export function dsn({
  from = "MAILER-DAEMON@mx.far.test (Mail Delivery System)",
  subject,
  text,
  mta,
  told,
  fields,
  type,
}: Dsn) {
  const blocks = told.map(({ to, original, action = "failed", status = "5.0.0", diagnostic, remote }) =>
    [
      ...(original ? [`Original-Recipient: rfc822;${original}`] : []),
      `Final-Recipient: ${to.includes(";") ? to : `rfc822; ${to}`}`,
      ...(action ? [`Action: ${action}`] : []),
      ...(status ? [`Status: ${status}`] : []),
      ...(remote ? [`Remote-MTA: dns; ${remote}`] : []),
      ...(diagnostic ? [`Diagnostic-Code: ${/^[\w-]+;/.test(diagnostic) ? diagnostic : `smtp; ${diagnostic}`}`] : []),
    ].join("\n"),
  );
  return Buffer.from(
    crlf(`From: ${from}
To: ${token}
Subject: ${subject ?? "Undelivered Mail Returned to Sender"}
Auto-Submitted: auto-replied
MIME-Version: 1.0
${fields ?? ""}Content-Type: ${type ?? "multipart/report; report-type=delivery-status"}; boundary="b1"

This is a MIME-encapsulated message.

--b1
Content-Type: text/plain; charset=utf-8

${text ?? "This is the mail system. Your message could not be delivered to one or more recipients."}

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; ${mta ?? "mx.far.test"}
X-Postfix-Queue-ID: 4Xy
Arrival-Date: Tue,  1 Dec 2026 09:00:00 +0000 (UTC)

${blocks.join("\n\n")}

--b1
Content-Type: text/rfc822-headers

${originalHeader}

--b1--
`),
  );
}

interface Plain {
  from?: string;
  to?: string;
  subject: string;
  text: string;
  fields?: string;
  charset?: string;
  type?: string;
  /** The body when it is not UTF-8. */
  bytes?: Buffer;
}

/** A message of words. */
export function plain({ from, to = token, subject, text, fields = "", charset = "utf-8", type, bytes }: Plain): Buffer {
  const encoded = /^[\x20-\x7e]*$/.test(subject) ? subject : `=?UTF-8?B?${Buffer.from(subject).toString("base64")}?=`;
  const header = `From: ${from ?? "MAILER-DAEMON@mx.far.test"}
To: ${to}
Subject: ${encoded}
MIME-Version: 1.0
${fields}Content-Type: ${type ?? "text/plain"}; charset=${charset}
Content-Transfer-Encoding: ${bytes ? "base64" : "8bit"}

`;
  return Buffer.from(crlf(`${header}${bytes ? bytes.toString("base64").replace(/.{76}/g, "$&\n") : text}\n`));
}

/** The quoted mail, as qmail, Exim and others put it at the end. */
export const quoted = `${originalHeader}

See you at noon? Write to carol@elsewhere.test too.`;

interface Arf {
  from?: string;
  type?: string | null;
  fields?: string;
  subject?: string;
}

/** RFC 5965 */
export function arf({ from = "feedback@isp.test", type = "abuse", fields = "", subject = "FW: Lunch" }: Arf): Buffer {
  return Buffer.from(
    crlf(`From: <${from}>
To: ${token}
Subject: ${subject}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b2"

--b2
Content-Type: text/plain; charset=US-ASCII

This is an email abuse report for an email message received from IP 192.0.2.1.

--b2
Content-Type: message/feedback-report

${type === null ? "" : `Feedback-Type: ${type}\n`}User-Agent: SomeGenerator/1.0
Version: 1
${fields}
--b2
Content-Type: message/rfc822

${quoted}

--b2--
`),
  );
}

/** A message that carries the mail as an attachment, without a report. */
export function carrying(header: string, words: string): Buffer {
  return Buffer.from(
    crlf(`${header}
To: ${token}
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b3"

--b3
Content-Type: text/plain; charset=utf-8

${words}

--b3
Content-Type: message/rfc822

${quoted}

--b3--
`),
  );
}
