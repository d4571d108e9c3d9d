import { mail, type Shape, utf8 } from "./shape.ts";

export const brokenShapes: Shape[] = [
  {
    name: "boundary lines with trailing blanks",
    raw: mail`From: ada@example.com
Content-Type: multipart/mixed; boundary="b"

--b \t

one
--b  
Content-Type: text/plain

two
--b-- 
`,
    want: { structure: "multipart/mixed(text/plain, text/plain)", values: { "1": "one", "2": "two" } },
  },
  {
    name: "closing boundary missing",
    raw: mail`From: ada@example.com
Content-Type: multipart/mixed; boundary="b"

--b

one
--b
Content-Type: application/pdf; name=x.pdf
Content-Transfer-Encoding: base64

JVBERg==
`,
    want: {
      structure: 'multipart/mixed(text/plain, application/pdf"x.pdf")',
      values: { "1": "one" },
      attachments: "2",
    },
  },
  {
    name: "the inner multipart is not closed",
    raw: mail`From: ada@example.com
Content-Type: multipart/mixed; boundary="m"

--m
Content-Type: multipart/alternative; boundary="a"

--a

text
--a
Content-Type: text/html

<p>text</p>
--m
Content-Type: application/pdf; name=x.pdf

%PDF
--m--
`,
    want: {
      structure: 'multipart/mixed(multipart/alternative(text/plain, text/html), application/pdf"x.pdf")',
      textBody: "1",
      htmlBody: "2",
      attachments: "3",
    },
  },
  {
    name: "an unquoted boundary with equals signs",
    raw: mail`From: ada@example.com
Content-Type: multipart/mixed; boundary=----=_Part_1_2.3=

------=_Part_1_2.3=

one
------=_Part_1_2.3=--
`,
    want: { structure: "multipart/mixed(text/plain)", values: { "1": "one" } },
  },
  {
    name: "an unquoted boundary with a colon, a slash and parentheses",
    raw: mail`From: ada@example.com
Content-Type: multipart/mixed; boundary=a:b/c(1)

--a:b/c(1)

one
--a:b/c(1)--
`,
    want: { structure: "multipart/mixed(text/plain)", values: { "1": "one" } },
  },
  {
    name: "one boundary begins with the other",
    raw: mail`From: ada@example.com
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=b1

--b1

one
--b1
Content-Type: text/html

<p>one</p>
--b1--
--b--
`,
    want: { structure: "multipart/mixed(multipart/alternative(text/plain, text/html))", values: { "1": "one" } },
  },
  {
    name: "multipart without a boundary",
    raw: mail`From: ada@example.com
Content-Type: multipart/alternative

Only text after all.
`,
    want: { structure: "text/plain", values: { "1": "Only text after all.\n" }, textBody: "1" },
    unlike: { text: "shows nothing" },
  },
  {
    name: "the boundary never appears",
    raw: mail`From: ada@example.com
Content-Type: multipart/alternative; boundary="b"

Only text after all.
`,
    want: { structure: "text/plain", values: { "1": "Only text after all.\n" }, textBody: "1" },
    unlike: { text: "takes it for a preamble" },
  },
  {
    name: "spam: multipart/alternative whose only part is empty",
    raw: mail`From: ada@example.com
Content-Type: multipart/alternative; boundary="b"

--b--
`,
    want: { structure: "multipart/alternative()", textBody: "", attachments: "", preview: "" },
  },
  {
    name: "text before the first and after the last boundary",
    raw: mail`From: ada@example.com
Content-Type: multipart/mixed; boundary="b"

This is a multi-part message in MIME format.
--b

one
--b--
-- 
Sent through a scanner
`,
    want: { structure: "multipart/mixed(text/plain)", values: { "1": "one" }, preview: "one" },
  },
  {
    name: "a part without a header and without the empty line",
    raw: mail`From: ada@example.com
Content-Type: multipart/mixed; boundary="b"

--b
Hello there
--b--
`,
    want: { structure: "multipart/mixed(text/plain)", values: { "1": "Hello there" } },
    unlike: { text: "takes it for a header" },
  },
  {
    name: "a multipart in base64",
    raw: mail`From: ada@example.com
Content-Type: multipart/mixed; boundary="b"
Content-Transfer-Encoding: base64

--b
Content-Type: text/plain

one
--b--
`,
    want: { structure: "multipart/mixed(text/plain)", values: { "1": "one" } },
  },
  {
    name: "Content-Type: text",
    raw: mail`From: ada@example.com
Content-Type: text

one
`,
    want: { structure: "text/plain", values: { "1": "one\n" } },
    unlike: { text: "shows nothing" },
  },
  {
    name: "Content-Type: html",
    raw: mail`From: ada@example.com
Content-Type: html

one
`,
    want: { structure: "text/plain", textBody: "1" },
  },
  {
    name: "a type with blanks around the slash",
    raw: mail`From: ada@example.com
Content-Type: text / html; charset=utf-8

<p>${utf8("Grüße")}
`,
    want: { structure: "text/html;utf-8", preview: "Grüße" },
  },
  {
    name: "a quote that never closes in the parameters",
    raw: mail`From: ada@example.com
Content-Type: text/plain; charset="utf-8

${utf8("Grüße")}
`,
    want: { structure: "text/plain;utf-8", values: { "1": "Grüße\n" } },
  },
  {
    name: "a comment in Content-Type",
    raw: mail`From: ada@example.com
Content-Type: text/plain (plain; charset=x); charset=utf-8 (yes)

${utf8("Grüße")}
`,
    want: { structure: "text/plain;utf-8", values: { "1": "Grüße\n" } },
  },
  {
    name: "two Content-Type parameters of a name: the first",
    raw: mail`From: ada@example.com
Content-Type: text/plain; charset=utf-8; charset=iso-8859-1

${utf8("Grüße")}
`,
    want: { structure: "text/plain;utf-8", values: { "1": "Grüße\n" } },
  },
  {
    name: "no body at all",
    raw: mail`From: ada@example.com
Subject: see subject`,
    want: { subject: "see subject", structure: "text/plain", values: { "1": "" }, preview: "" },
  },
  {
    name: "no MIME-Version, all else is MIME",
    raw: mail`From: ada@example.com
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PHA+R3LDvMOfZTwvcD4=
`,
    want: { structure: "text/html;utf-8", values: { "1": "<p>Grüße</p>" }, preview: "Grüße" },
  },
  {
    name: "a long quote above a short answer",
    raw: mail`From: ada@example.com

${"> quoted\n".repeat(100)}
Yes.
`,
    want: { preview: "Yes." },
  },
  {
    name: "HTML that never closes a comment or a tag",
    raw: mail`From: ada@example.com
Content-Type: text/html

<p>Hello <b>Ada</b><a href="x
`,
    want: { preview: "Hello Ada" },
  },
];
