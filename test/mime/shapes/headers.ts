import { mail, type Shape, utf8 } from "./shape.ts";

const subject = (field: string): string => mail`Subject: ${field}
From: ada@example.com

y
`;
const date = (field: string): string => mail`From: ada@example.com
Date: ${field}

y
`;
const many = Array.from({ length: 50 }, (_, index) => `${index}.abcdef@mail.example.com`);

export const headerShapes: Shape[] = [
  {
    name: "a subject over several lines, in two charsets",
    raw: subject("=?utf-8?Q?Gr=C3=BC=C3=9Fe?=\n =?iso-8859-1?Q?_aus_K=F6ln?=\n and more"),
    want: { subject: "Grüße aus Köln and more" },
  },
  {
    name: "Gmail: an emoji cut between two base64 words",
    raw: subject("=?UTF-8?B?SGkg8J+Y?=\n =?UTF-8?B?gCBBZGE=?="),
    want: { subject: "Hi 😀 Ada" },
  },
  {
    name: "a subject that begins on the second line",
    raw: subject("\n =?utf-8?Q?=C3=9Cber_uns?="),
    want: { subject: "Über uns" },
  },
  {
    name: "folded with tabs",
    raw: subject("one two\n\tthree"),
    want: { subject: "one two\tthree" },
    unlike: { subject: "turns the tab into a blank" },
  },
  {
    name: "SMTPUTF8: raw UTF-8 subject",
    raw: subject(utf8("Grüße 😀")),
    want: { subject: "Grüße 😀" },
  },
  {
    name: "PHP: raw ISO-8859-1 subject",
    raw: subject("Gr\xfc\xdfe"),
    want: { subject: "Gr\ufffd\ufffde" },
  },
  {
    name: "an encoded word with blanks in it",
    raw: subject("=?utf-8?Q?Gr=C3=BC=C3=9Fe aus K=C3=B6ln?="),
    want: { subject: "=?utf-8?Q?Gr=C3=BC=C3=9Fe aus K=C3=B6ln?=" },
    unlike: { subject: "decodes it, though RFC 8621 §4.1.2.2 forbids that" },
  },
  {
    name: "encoded words with nothing between them",
    raw: subject("=?utf-8?Q?a=C3=BC?==?utf-8?Q?b?="),
    want: { subject: "=?utf-8?Q?a=C3=BC?==?utf-8?Q?b?=" },
    unlike: { subject: "decodes them, though RFC 8621 §4.1.2.2 forbids that" },
  },
  {
    name: "an encoded line break to inject a field",
    raw: subject("=?utf-8?Q?Hi=0D=0ABcc:_eve@example.com?="),
    want: { subject: "HiBcc: eve@example.com" },
    unlike: { subject: "keeps the line break" },
  },
  {
    name: "macOS: decomposed umlauts",
    raw: subject("=?utf-8?Q?Gru=CC=88=C3=9Fe?="),
    want: { subject: "Grüße" },
    unlike: { subject: "does not compose them" },
  },
  {
    name: "two Subject fields",
    raw: mail`Subject: first
Subject: second
From: ada@example.com

y
`,
    want: { subject: "second" },
    unlike: { subject: "takes the first, RFC 8621 §4.1.3 the last" },
  },
  {
    name: "an empty subject",
    raw: subject(""),
    want: { subject: "" },
  },
  {
    name: "no subject",
    raw: mail`From: ada@example.com

y
`,
    want: { subject: null, messageId: null, references: null, inReplyTo: null, sentAt: null },
  },
  {
    name: "Date with a comment",
    raw: date("Thu, 1 Jan 2026 10:00:00 +0100 (CET)"),
    want: { sentAt: "2026-01-01T10:00:00+01:00" },
  },
  {
    name: "Date with a two-digit year",
    raw: date("Fri, 21 Nov 97 09:55:06 -0600"),
    want: { sentAt: "1997-11-21T09:55:06-06:00" },
  },
  {
    name: "Date without seconds or weekday",
    raw: date("1 Jan 2026 10:00 GMT"),
    want: { sentAt: "2026-01-01T10:00:00Z" },
  },
  {
    name: "Date in an obsolete zone",
    raw: date("Thu, 01 Jan 2026 10:00:00 EST"),
    want: { sentAt: "2026-01-01T10:00:00-05:00" },
  },
  {
    name: "Date in a zone that RFC 5322 does not know: as -0000",
    raw: date("Thu, 01 Jan 2026 10:00:00 CEST"),
    want: { sentAt: "2026-01-01T10:00:00Z" },
  },
  {
    name: "Date with the zone's name after the offset",
    raw: date("Thu, 01 Jan 2026 10:00:00 +0200 CEST"),
    want: { sentAt: "2026-01-01T10:00:00+02:00" },
  },
  {
    name: "Date with GMT before the offset",
    raw: date("Thu, 01 Jan 2026 10:00:00 GMT+0200"),
    want: { sentAt: "2026-01-01T10:00:00+02:00" },
  },
  {
    name: "Date with a colon in the offset",
    raw: date("Thu, 01 Jan 2026 10:00:00 +02:00"),
    want: { sentAt: "2026-01-01T10:00:00+02:00" },
  },
  {
    name: "Date without a comma after the weekday",
    raw: date("Thu 1 Jan 2026 10:00:00 +0100"),
    want: { sentAt: "2026-01-01T10:00:00+01:00" },
  },
  {
    name: "Date with one-digit hour, long names, wrong weekday",
    raw: date("Monday, 1 January 2026 9:05:00 +0000"),
    want: { sentAt: "2026-01-01T09:05:00Z" },
  },
  {
    name: "Date folded and full of comments",
    raw: date("Thu,\n  1 Jan (new year) 2026 10:00:00\n +0100"),
    want: { sentAt: "2026-01-01T10:00:00+01:00" },
  },
  {
    name: "Date that is none",
    raw: date("%DATE%"),
    want: { sentAt: null },
  },
  {
    name: "Message-ID without brackets",
    raw: mail`Message-ID: 123@example.com
From: ada@example.com

y
`,
    want: { messageId: null },
  },
  {
    name: "Outlook: Message-ID folded after the colon, brackets and dollar signs in it",
    raw: mail`Message-ID:
 <!&!AAAAAAAAAAAYAAAA[1]$x$@example.com>
From: ada@example.com

y
`,
    want: { messageId: ["!&!AAAAAAAAAAAYAAAA[1]$x$@example.com"] },
  },
  {
    name: "References with commas",
    raw: mail`References: <a@example.com>,<b@example.com>, <c@example.com>
From: ada@example.com

y
`,
    want: { references: ["a@example.com", "b@example.com", "c@example.com"] },
  },
  {
    name: "References without blanks between them",
    raw: mail`References: <a@example.com><b@example.com>
From: ada@example.com

y
`,
    want: { references: ["a@example.com", "b@example.com"] },
  },
  {
    name: "References with fifty ids, folded",
    raw: mail`References: ${many.map((id) => `<${id}>`).join("\n\t")}
From: ada@example.com

y
`,
    want: { references: many },
  },
  {
    name: "old mailer: In-Reply-To with a phrase and a comment",
    raw: mail`In-Reply-To: Your message of "Thu, 01 Jan 2026 10:00:00 +0100."
 <a@example.com> (Ada's mail)
From: ada@example.com

y
`,
    want: { inReplyTo: ["a@example.com"] },
  },
  {
    name: "mbox line in front",
    raw: mail`From ada@example.com Thu Jan  1 10:00:00 2026
Subject: Hi
From: ada@example.com

y
`,
    want: { subject: "Hi", from: "ada@example.com", values: { "1": "y\n" } },
  },
  {
    name: "Notepad: a byte order mark before the header",
    raw: `${utf8("\ufeff")}${subject("Hi")}`,
    want: { subject: "Hi", from: "ada@example.com", values: { "1": "y\n" } },
    unlike: { subject: "loses the first field" },
  },
  {
    name: "blanks before the colon, odd capitals",
    raw: mail`SUBJECT : Hi
fRoM:ada@example.com

y
`,
    want: { subject: "Hi", from: "ada@example.com" },
  },
  {
    name: "a header line cut by PHP",
    raw: mail`From: ada@example.com
X-Mailer: PHP
this was meant to be folded
Subject: Hi

y
`,
    want: { subject: "Hi", values: { "1": "y\n" } },
  },
  {
    name: "Date with a three-digit year",
    raw: date("Thu, 1 Jan 126 10:00:00 +0000"),
    want: { sentAt: "2026-01-01T10:00:00Z" },
  },
  {
    name: "Date whose comment was cut",
    raw: date("Thu, 1 Jan 2026 10:00:00 +0100 (Mitteleurop"),
    want: { sentAt: "2026-01-01T10:00:00+01:00" },
  },
  {
    name: "Date as ctime writes it",
    raw: date("Thu Jan  1 10:00:00 2026"),
    want: { sentAt: "2026-01-01T10:00:00Z" },
  },
  {
    name: "Date on a twelve-hour clock: no date-time",
    raw: date("Thu, 1 Jan 2026 10:00:00 PM"),
    want: { sentAt: null },
  },
  {
    name: "Message-ID with a remark after it",
    raw: mail`Message-ID: <1@example.com> (added by postmaster@example.com)
From: ada@example.com

y
`,
    want: { messageId: ["1@example.com"] },
  },
  {
    name: "an id folded within its brackets",
    raw: mail`In-Reply-To: <a-very-long-left-side
 @example.com>
From: ada@example.com

y
`,
    want: { inReplyTo: ["a-very-long-left-side@example.com"] },
  },
];
