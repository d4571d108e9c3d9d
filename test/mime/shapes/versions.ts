import { mail, type Shape } from "./shape.ts";

/** Messages with several versions of one text, or with one. */
export const versionShapes: Shape[] = [
  {
    name: "newsletter: an empty text part beside HTML",
    raw: mail`From: news@example.com
Content-Type: multipart/alternative; boundary="b"

--b
Content-Type: text/plain; charset=utf-8


--b
Content-Type: text/html; charset=utf-8

<html><body><h1>Sale</h1></body></html>
--b--
`,
    want: { textBody: "1", htmlBody: "2", attachments: "", preview: "Sale", values: { "1": "" }, hasAttachment: false },
  },
  {
    name: "newsletter: HTML alone within alternative",
    raw: mail`From: news@example.com
Content-Type: multipart/alternative; boundary="b"

--b
Content-Type: text/html; charset=utf-8

<p>Sale</p>
--b--
`,
    want: { textBody: "1", htmlBody: "1", attachments: "", preview: "Sale" },
  },
  {
    name: "newsletter: a hidden preheader padded with invisible characters",
    raw: mail`From: news@example.com
Content-Type: text/html; charset=utf-8

<div style="display:none">Save 20%&nbsp;&zwnj;&nbsp;&zwnj;&#847;&nbsp;&shy;</div><p>Dear Ada</p>
`,
    want: { preview: "Save 20% Dear Ada" },
  },
  {
    name: "newsletter: an AMP version between text and HTML",
    raw: mail`From: news@example.com
Content-Type: multipart/alternative; boundary="b"

--b
Content-Type: text/plain; charset=utf-8

Sale
--b
Content-Type: text/x-amp-html; charset=utf-8

<!doctype html><html amp4email></html>
--b
Content-Type: text/html; charset=utf-8

<p>Sale</p>
--b--
`,
    want: { textBody: "1", htmlBody: "3", attachments: "2", hasAttachment: false },
  },
  {
    name: "HTML before plain text in alternative",
    raw: mail`From: news@example.com
Content-Type: multipart/alternative; boundary="b"

--b
Content-Type: text/html

<p>Sale</p>
--b
Content-Type: text/plain

Sale
--b--
`,
    want: { textBody: "2", htmlBody: "1", attachments: "", values: { "2": "Sale" } },
  },
  {
    name: "Lotus Notes: the HTML second in related, named by start",
    raw: mail`From: ada@example.com
Content-Type: multipart/related; boundary="b"; type="text/html"; start="<root>"

--b
Content-Type: image/gif
Content-ID: <logo>
Content-Transfer-Encoding: base64

R0lGODlh
--b
Content-Type: text/html
Content-ID: <root>

<p>Hello <img src="cid:logo"></p>
--b--
`,
    // The algorithm of RFC 8621 §4.1.4 takes the first part of related for its root, and the start parameter for nothing.
    want: { textBody: "1", htmlBody: "1", attachments: "2", preview: "", hasAttachment: true },
  },
  {
    name: "Exchange: calendar invitation in alternative",
    raw: mail`From: ada@example.com
Subject: Meeting
Content-Type: multipart/alternative; boundary="b"

--b
Content-Type: text/plain; charset="utf-8"

Let us meet.
--b
Content-Type: text/html; charset="utf-8"

<p>Let us meet.</p>
--b
Content-Type: text/calendar; charset="utf-8"; method=REQUEST
Content-Transfer-Encoding: base64

QkVHSU46VkNBTEVOREFS
--b--
`,
    want: {
      structure: "multipart/alternative(text/plain;utf-8, text/html;utf-8, text/calendar;utf-8)",
      textBody: "1",
      htmlBody: "2",
      attachments: "3",
      values: { "1": "Let us meet.", "3": "BEGIN:VCALENDAR" },
    },
  },
  {
    name: "Google Calendar: the invitation once more as a file",
    raw: mail`From: calendar@google.com
Content-Type: multipart/mixed; boundary="m"

--m
Content-Type: multipart/alternative; boundary="a"

--a
Content-Type: text/plain; charset="UTF-8"

Meet
--a
Content-Type: text/calendar; charset="UTF-8"; method=REQUEST

BEGIN:VCALENDAR
--a--
--m
Content-Type: application/ics; name="invite.ics"
Content-Disposition: attachment; filename="invite.ics"

BEGIN:VCALENDAR
--m--
`,
    want: { textBody: "1", htmlBody: "1", attachments: "2 3", hasAttachment: true },
  },
  {
    name: "Lotus Notes: the images of related before its alternatives",
    raw: mail`From: ada@example.com
Content-Type: multipart/related; boundary="r"; type="multipart/alternative"

--r
Content-Type: image/gif
Content-ID: <logo>
Content-Disposition: inline
Content-Transfer-Encoding: base64

R0lGODlh
--r
Content-Type: multipart/alternative; boundary="a"

--a

Hello
--a
Content-Type: text/html

<p>Hello <img src="cid:logo"></p>
--a--
--r--
`,
    want: { textBody: "1 2", htmlBody: "1 3", attachments: "", values: { "2": "Hello" }, hasAttachment: false },
  },
  {
    name: "Word: conditional comments around the text",
    raw: mail`From: ada@example.com
Content-Type: text/html; charset=us-ascii

<html><head><style><!-- p {} --></style><!--[if mso]><xml>x</xml><![endif]--></head>
<body><![if !mso]><p>Hello<o:p></o:p></p><![endif]></body></html>
`,
    want: { preview: "Hello" },
  },
  {
    name: "Gmail: the answer above its quote, in HTML only",
    raw: mail`From: ada@example.com
Content-Type: text/html; charset=utf-8

<div dir="ltr">Yes.</div><br><div class="gmail_quote"><div class="gmail_attr">On Thu, Bob wrote:<br></div>
<blockquote>Lunch?</blockquote></div>
`,
    want: { preview: "Yes." },
  },
];
