import { mail, type Shape, unix, utf8 } from "./shape.ts";

const encoded = (encoding: string, body: string): string => mail`From: ada@example.com
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: ${encoding}

${body}`;

export const encodingShapes: Shape[] = [
  {
    name: "quoted-printable with lower-case hex",
    raw: encoded("quoted-printable", "Gr=c3=bc=c3=9fe"),
    want: { values: { "1": "Grüße" } },
  },
  {
    name: "quoted-printable with blanks after a soft break",
    raw: encoded("quoted-printable", "one =  \ntwo=\t\nthree"),
    want: { values: { "1": "one twothree" } },
  },
  {
    name: "quoted-printable with blanks padded on in transit",
    raw: encoded("quoted-printable", "one   \ntwo=20\n"),
    want: { values: { "1": "one\ntwo \n" } },
  },
  {
    name: "quoted-printable with equals signs nobody encoded",
    raw: encoded("quoted-printable", "a = b, x=y, 100%=\nsure"),
    want: { values: { "1": "a = b, x=y, 100%sure" } },
  },
  {
    name: "quoted-printable that ends in a soft break",
    raw: encoded("quoted-printable", "end="),
    want: { values: { "1": "end" } },
  },
  {
    name: "quoted-printable with raw 8-bit",
    raw: encoded("Quoted-Printable", `${utf8("ü")}=C3=BC`),
    want: { values: { "1": "üü" } },
  },
  {
    name: "quoted-printable line breaks encoded as well",
    raw: encoded("quoted-printable", "one=0D=0Atwo=0Athree"),
    want: { values: { "1": "one\ntwo\nthree" } },
  },
  {
    name: "base64 without padding",
    raw: encoded("base64", "R3LDvMOfZQ"),
    want: { values: { "1": "Grüße" } },
  },
  {
    name: "base64 with line noise",
    raw: encoded("base64", "R3LD!vM\n  Of*\n\nZQ==\n"),
    want: { values: { "1": "Grüße" } },
  },
  {
    name: "base64 in one long line, in capitals and with a comment",
    raw: encoded("BASE64 (long)", Buffer.from("Grüße ".repeat(200)).toString("base64")),
    want: { values: { "1": "Grüße ".repeat(200) } },
  },
  {
    name: "Mailman: a plain footer after base64",
    raw: encoded("base64", "SGVsbG8gd29ybGQ=\n\n_______________\nlist@example.com\n"),
    want: { values: { "1": "Hello world" } },
    unlike: { text: "decodes the footer too" },
  },
  {
    name: "base64 text whose lines end in LF alone",
    raw: encoded("base64", Buffer.from("one\ntwo\r\n").toString("base64")),
    want: { values: { "1": "one\ntwo\n" } },
  },
  {
    name: "an unknown transfer encoding",
    raw: encoded("x-yencode", "=ybegin x\n"),
    want: { values: { "1": "=ybegin x\n" }, problems: "1" },
  },
  {
    name: "uuencode as the transfer encoding, a line before it",
    raw: encoded("X-UUencode", "see below\nbegin 644 x.txt\n#:&D*\n`\nend\nmore\n"),
    want: { values: { "1": "hi\n" } },
    unlike: { text: "leaves it as it is" },
  },
  {
    name: "uuencode as the transfer encoding of what is none",
    raw: encoded("x-uue", "Hello\n"),
    want: { values: { "1": "Hello\n" } },
  },
  {
    name: "7bit that is not",
    raw: encoded("7bit", utf8("Grüße")),
    want: { values: { "1": "Grüße" } },
  },
  {
    name: "the transfer encoding misspelt 8-bit",
    raw: encoded("8-bit", utf8("Grüße")),
    want: { values: { "1": "Grüße" } },
  },
  {
    name: "the transfer encoding misspelt quotedprintable, a semicolon after it",
    raw: encoded("QuotedPrintable;", "Gr=C3=BC=C3=9Fe"),
    want: { values: { "1": "Grüße" } },
    unlike: { text: "leaves it as it is" },
  },
  {
    name: "the transfer encoding in two words, with a comment",
    raw: encoded("(see RFC 2045) Quoted Printable", "Gr=C3=BC=C3=9Fe"),
    want: { values: { "1": "Grüße" } },
    unlike: { text: "leaves it as it is" },
  },
  {
    name: "the transfer encoding misspelt base-64",
    raw: encoded('"base-64" (really);', "R3LDvMOfZQ=="),
    want: { values: { "1": "Grüße" } },
    unlike: { text: "leaves it as it is" },
  },
  {
    name: "an empty transfer encoding, an empty type",
    raw: mail`From: ada@example.com
Content-Type:
Content-Transfer-Encoding:

Hello`,
    want: { values: { "1": "Hello" }, structure: "text/plain" },
  },
  {
    name: "inline uuencode",
    raw: mail`From: ada@example.com
Subject: file

Here it is.

begin 644 hi.txt
#:&D*
\`
end
`,
    want: {
      structure: "text/plain",
      values: { "1": "Here it is.\n\nbegin 644 hi.txt\n#:&D*\n`\nend\n" },
      attachments: "",
    },
  },
  {
    name: "cron: bare LF throughout",
    raw: unix`From: root@host.example (Cron Daemon)
To: root@host.example
Subject: Cron <root@host> test -x /usr/sbin/anacron
Content-Type: text/plain; charset=UTF-8
Auto-Submitted: auto-generated

line one
line two
`,
    want: {
      subject: "Cron <root@host> test -x /usr/sbin/anacron",
      from: "Cron Daemon <root@host.example>",
      values: { "1": "line one\nline two\n" },
      preview: "line one line two",
    },
  },
  {
    name: "a script: bare LF in a multipart",
    raw: unix`From: ada@example.com
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

one
--b
Content-Type: text/csv; name=x.csv
Content-Disposition: attachment

a,b
--b--
`,
    want: {
      structure: 'multipart/mixed(text/plain, text/csv"x.csv"@attachment)',
      values: { "1": "one", "2": "a,b" },
      hasAttachment: true,
    },
  },
  {
    name: "the header in CRLF, the body in LF",
    raw: `${mail`From: ada@example.com
Content-Type: multipart/mixed; boundary=b

`}--b\n\none\n--b--\n`,
    want: { structure: "multipart/mixed(text/plain)", values: { "1": "one" } },
  },
  {
    name: "binary with NUL in the text",
    raw: encoded("binary", "a\0b"),
    want: { values: { "1": "a\0b" } },
  },
  {
    name: "a dot-stuffed line that was not unstuffed",
    raw: encoded("7bit", "..\n.hidden"),
    want: { values: { "1": "..\n.hidden" } },
  },
  {
    name: "yEnc in a single part",
    raw: encoded("8bit", "=ybegin line=128 size=1 name=x\n\x8b\n=yend size=1"),
    want: { values: { "1": "=ybegin line=128 size=1 name=x\n\ufffd\n=yend size=1" }, problems: "1" },
  },
];
