import { mail, type Shape, utf8 } from "./shape.ts";

/** A text and one more part with the given header fields. */
const withPart = (fields: string, body = "aGk="): string => mail`From: ada@example.com
Content-Type: multipart/mixed; boundary="b"

--b
Content-Type: text/plain

See the file.
--b
Content-Transfer-Encoding: base64
${fields}

${body}
--b--
`;

/** The expected reading when the part is an attachment. */
const attached = (part: string) => ({
  structure: `multipart/mixed(text/plain, ${part})`,
  textBody: "1",
  htmlBody: "1",
  attachments: "2",
  values: { "1": "See the file." },
  hasAttachment: true,
});

const octets = "Content-Type: application/octet-stream";

export const attachmentShapes: Shape[] = [
  {
    name: "a plain attachment",
    raw: withPart(`${octets}; name="x.bin"\nContent-Disposition: attachment; filename="x.bin"`),
    want: attached('application/octet-stream"x.bin"@attachment'),
  },
  {
    name: "Outlook: file name as an encoded word inside quotes",
    raw: withPart(`${octets}\nContent-Disposition: attachment; filename="=?utf-8?Q?Gr=C3=BC=C3=9Fe.pdf?="`),
    want: attached('application/octet-stream"Grüße.pdf"@attachment'),
  },
  {
    name: "file name as several encoded words on lines of their own",
    raw: withPart(`${octets};\n name="=?utf-8?B?R3LDvMOf?=\n =?utf-8?B?ZS5wZGY=?="\nContent-Disposition: attachment`),
    want: attached('application/octet-stream"Grüße.pdf"@attachment'),
  },
  {
    name: "file name as an encoded word without quotes",
    raw: withPart(`${octets}\nContent-Disposition: attachment; filename==?utf-8?Q?Gr=C3=BCn.pdf?=; size=2`),
    want: attached('application/octet-stream"Grün.pdf"@attachment'),
  },
  {
    name: "RFC 2231: an encoded file name",
    raw: withPart(`${octets}\nContent-Disposition: attachment; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20x.pdf`),
    want: attached('application/octet-stream"Grüße x.pdf"@attachment'),
  },
  {
    name: "RFC 2231: a file name in pieces",
    raw: withPart(`${octets}\nContent-Disposition: attachment;\n filename*0="a very long ";\n filename*1="name.pdf"`),
    want: attached('application/octet-stream"a very long name.pdf"@attachment'),
  },
  {
    name: "RFC 2231: encoded pieces in another order, cut inside a character",
    raw: withPart(`${octets}\nContent-Disposition: attachment;\n filename*1*=%BC.pdf;\n filename*0*=utf-8''Gr%C3`),
    want: attached('application/octet-stream"Grü.pdf"@attachment'),
  },
  {
    name: "RFC 2231 beside a plain name for old readers",
    raw: withPart(
      `${octets}\nContent-Disposition: attachment; filename="Gr__e.pdf"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.pdf`,
    ),
    want: attached('application/octet-stream"Grüße.pdf"@attachment'),
  },
  {
    name: "RFC 2231 in ISO-8859-1, in quotes",
    raw: withPart(`${octets}\nContent-Disposition: attachment; filename*="iso-8859-1'de'Gr%FCn.pdf"`),
    want: attached('application/octet-stream"Grün.pdf"@attachment'),
  },
  {
    name: "an encoded word cut into RFC 2231 pieces",
    raw: withPart(
      `${octets}\nContent-Disposition: attachment;\n filename*0="=?utf-8?Q?Gr=C3=BC";\n filename*1="=C3=9Fe.pdf?="`,
    ),
    want: attached('application/octet-stream"Grüße.pdf"@attachment'),
  },
  {
    name: "an encoded word with blanks in a quoted file name",
    raw: withPart(`${octets}\nContent-Disposition: attachment; filename="=?utf-8?Q?Gr=C3=BCn und rot.pdf?="`),
    want: attached('application/octet-stream"Grün und rot.pdf"@attachment'),
  },
  {
    name: "encoded words with nothing between them in a file name",
    raw: withPart(`${octets}\nContent-Disposition: attachment; filename="=?utf-8?Q?Gr=C3?==?utf-8?Q?=BCn.pdf?="`),
    want: attached('application/octet-stream"Grün.pdf"@attachment'),
  },
  {
    name: "unquoted file name with blanks",
    raw: withPart(`${octets}\nContent-Disposition: attachment; filename=My report (final).pdf; size=2`),
    want: attached('application/octet-stream"My report (final).pdf"@attachment'),
  },
  {
    name: "raw UTF-8 in the file name",
    raw: withPart(`${octets}\nContent-Disposition: attachment; filename="${utf8("Grüße.pdf")}"`),
    want: attached('application/octet-stream"Grüße.pdf"@attachment'),
  },
  {
    name: "the name only in Content-Type",
    raw: withPart("Content-Type: application/pdf; name=x.pdf"),
    want: attached('application/pdf"x.pdf"'),
  },
  {
    name: "an empty file name beside a good one",
    raw: withPart('Content-Type: application/pdf; name="x.pdf"\nContent-Disposition: attachment; filename=""'),
    want: attached('application/pdf"x.pdf"@attachment'),
  },
  {
    name: "an attachment without a name",
    raw: withPart(`${octets}\nContent-Disposition: attachment`),
    want: attached("application/octet-stream@attachment"),
  },
  {
    name: "a disposition that is only a file name",
    raw: withPart('Content-Type: application/pdf\nContent-Disposition: filename="x.pdf"'),
    want: attached('application/pdf"x.pdf"'),
  },
  {
    name: "semicolons missing",
    raw: withPart('Content-Type: application/pdf name="x.pdf"\nContent-Disposition: attachment filename="x.pdf"'),
    want: attached('application/pdf"x.pdf"@attachment'),
  },
  {
    name: "semicolons too many, odd capitals",
    raw: withPart('Content-Type: Application/PDF;; NAME="x.pdf";\nContent-Disposition: ATTACHMENT;; FileName="x.pdf";'),
    want: attached('application/pdf"x.pdf"@attachment'),
  },
  {
    name: "a semicolon and an escaped quote in a quoted name",
    raw: withPart(`${octets}\nContent-Disposition: attachment; filename="a;b \\"c\\".pdf"`),
    want: attached('application/octet-stream"a;b "c".pdf"@attachment'),
  },
  {
    name: "a text file attached without a disposition",
    raw: withPart('Content-Type: text/plain; name="notes.txt"'),
    want: attached('text/plain"notes.txt"'),
    unlike: { text: "shows the file as text" },
  },
  {
    name: "an HTML file attached",
    raw: withPart('Content-Type: text/html; charset=utf-8\nContent-Disposition: attachment; filename="x.html"'),
    want: attached('text/html;utf-8"x.html"@attachment'),
  },
  {
    name: "Content-ID without brackets",
    raw: mail`From: ada@example.com
Content-Type: multipart/related; boundary=b

--b
Content-Type: text/html

<img src="cid:logo@example.com">
--b
Content-Type: image/gif
Content-ID: logo@example.com
Content-Transfer-Encoding: base64

R0lGODlh
--b--
`,
    want: {
      structure: "multipart/related(text/html, image/gif#logo@example.com)",
      textBody: "1",
      htmlBody: "1",
      attachments: "2",
      hasAttachment: false,
    },
  },
  {
    name: "message/rfc822 attached with 8bit",
    raw: mail`From: ada@example.com
Content-Type: multipart/mixed; boundary=b

--b

See this.
--b
Content-Type: message/rfc822; name="Lunch.eml"
Content-Disposition: attachment; filename="Lunch.eml"
Content-Transfer-Encoding: 8bit

From: bob@example.com
Content-Type: multipart/mixed; boundary=c

--c

${utf8("Grüße")}
--c--
--b--
`,
    want: {
      structure: 'multipart/mixed(text/plain, message/rfc822"Lunch.eml"@attachment)',
      textBody: "1",
      attachments: "2",
      preview: "See this.",
      hasAttachment: true,
    },
  },
  {
    name: "the message is a PDF and nothing else",
    raw: mail`From: scanner@example.com
Subject: Scan
Content-Type: application/pdf; name="scan.pdf"
Content-Disposition: attachment; filename="scan.pdf"
Content-Transfer-Encoding: base64

JVBERg==
`,
    want: {
      structure: 'application/pdf"scan.pdf"@attachment',
      textBody: "",
      htmlBody: "",
      attachments: "1",
      hasAttachment: true,
      preview: "",
    },
  },
  {
    name: "fax gateway: the message is an image",
    raw: mail`From: fax@example.com
Content-Type: image/tiff; name="fax.tif"
Content-Transfer-Encoding: base64

SUkqAA==
`,
    want: { structure: 'image/tiff"fax.tif"', textBody: "1", htmlBody: "1", attachments: "", preview: "" },
  },
  {
    name: "voice mail: audio beside text",
    raw: withPart('Content-Type: audio/wav; name="msg.wav"\nContent-Disposition: attachment; filename="msg.wav"'),
    want: attached('audio/wav"msg.wav"@attachment'),
  },
  {
    name: "a Content-Location instead of a Content-ID",
    raw: mail`From: web@example.com
Content-Type: multipart/related; boundary=b; type="text/html"

--b
Content-Type: text/html
Content-Location: http://example.com/

<img src="a.gif">
--b
Content-Type: image/gif
Content-Location: http://example.com/a.gif
Content-Transfer-Encoding: base64

R0lGODlh
--b--
`,
    want: { textBody: "1", attachments: "2" },
  },
  {
    name: "a spreadsheet sent inline",
    raw: withPart('Content-Type: text/csv; name="x.csv"\nContent-Disposition: inline; filename="x.csv"'),
    want: attached('text/csv"x.csv"@inline'),
  },
  {
    name: "an image sent inline beside text is shown",
    raw: withPart('Content-Type: image/gif; name="x.gif"\nContent-Disposition: inline; filename="x.gif"', "R0lGODlh"),
    want: { textBody: "1 2", htmlBody: "1 2", attachments: "", hasAttachment: false },
  },
  {
    name: "the whole message is another message",
    raw: mail`From: ada@example.com
Content-Type: message/rfc822

Subject: inner

y
`,
    want: { structure: "message/rfc822", subject: null, textBody: "", attachments: "1", hasAttachment: true },
  },
  {
    name: "a message cut in pieces",
    raw: mail`From: ada@example.com
Subject: big (1/2)
Content-Type: message/partial; id="x@example.com"; number=1; total=2

Subject: big
`,
    want: { subject: "big (1/2)", structure: "message/partial", textBody: "", attachments: "1" },
  },
];
