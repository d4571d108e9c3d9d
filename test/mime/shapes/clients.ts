import { mail, type Shape, utf8 } from "./shape.ts";

const png = "iVBORw0KGgo=";

export const clientShapes: Shape[] = [
  {
    name: "Gmail: plain and HTML",
    raw: mail`MIME-Version: 1.0
From: Ada <ada@gmail.com>
Date: Thu, 1 Jan 2026 10:00:00 +0100
Message-ID: <CAF+a=b_c@mail.gmail.com>
Subject: Hi
To: Bob <bob@example.com>
Content-Type: multipart/alternative; boundary="000000000000f1"

--000000000000f1
Content-Type: text/plain; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe

--000000000000f1
Content-Type: text/html; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

<div dir=3D"ltr">Gr=C3=BC=C3=9Fe</div>

--000000000000f1--
`,
    want: {
      structure: "multipart/alternative(text/plain;UTF-8, text/html;UTF-8)",
      textBody: "1",
      htmlBody: "2",
      attachments: "",
      values: { "1": "Grüße\n", "2": '<div dir="ltr">Grüße</div>\n' },
      messageId: ["CAF+a=b_c@mail.gmail.com"],
      preview: "Grüße",
      hasAttachment: false,
    },
  },
  {
    name: "Gmail: format=flowed with delsp",
    raw: mail`From: ada@gmail.com
Content-Type: text/plain; charset="UTF-8"; format=flowed; delsp=yes

one long line that was \nfolded here.
`,
    want: { values: { "1": "one long line that was \nfolded here.\n" }, structure: "text/plain;UTF-8" },
    unlike: { text: "unfolds the lines" },
  },
  {
    name: "Gmail: an image in the HTML and a PDF",
    raw: mail`From: ada@gmail.com
Content-Type: multipart/mixed; boundary="m"

--m
Content-Type: multipart/related; boundary="r"

--r
Content-Type: multipart/alternative; boundary="a"

--a
Content-Type: text/plain; charset="UTF-8"

[image: x.png]
--a
Content-Type: text/html; charset="UTF-8"

<img src="cid:ii_1">
--a--
--r
Content-Type: image/png; name="x.png"
Content-Disposition: inline; filename="x.png"
Content-Transfer-Encoding: base64
Content-ID: <ii_1>
X-Attachment-Id: ii_1

${png}
--r--
--m
Content-Type: application/pdf; name="y.pdf"
Content-Disposition: attachment; filename="y.pdf"
Content-Transfer-Encoding: base64

JVBERg==
--m--
`,
    want: {
      structure:
        'multipart/mixed(multipart/related(multipart/alternative(text/plain;UTF-8, text/html;UTF-8), image/png"x.png"@inline#ii_1), application/pdf"y.pdf"@attachment)',
      textBody: "1",
      htmlBody: "2",
      attachments: "3 4",
      hasAttachment: true,
    },
  },
  {
    name: "Apple Mail: mixed in alternative with inline images",
    raw: mail`From: ada@icloud.com
Mime-Version: 1.0 (Mac OS X Mail 16.0)
Content-Type: multipart/alternative; boundary="Apple-Mail=_1"

--Apple-Mail=_1
Content-Transfer-Encoding: 7bit
Content-Type: text/plain; charset=us-ascii

before after
--Apple-Mail=_1
Content-Type: multipart/mixed; boundary="Apple-Mail=_2"

--Apple-Mail=_2
Content-Type: text/html; charset=us-ascii

<p>before</p>
--Apple-Mail=_2
Content-Disposition: inline; filename=photo.jpeg
Content-Type: image/jpeg; x-unix-mode=0666; name="photo.jpeg"
Content-Transfer-Encoding: base64

${png}
--Apple-Mail=_2
Content-Type: text/html; charset=us-ascii

<p>after</p>
--Apple-Mail=_2--
--Apple-Mail=_1--
`,
    want: {
      structure:
        'multipart/alternative(text/plain, multipart/mixed(text/html, image/jpeg"photo.jpeg"@inline, text/html))',
      textBody: "1",
      htmlBody: "2 3 4",
      attachments: "3",
      hasAttachment: false,
      preview: "before after",
    },
  },
  {
    name: "Apple Mail: text, picture, text",
    raw: mail`From: ada@icloud.com
Content-Type: multipart/mixed; boundary="Apple-Mail-1"

--Apple-Mail-1
Content-Type: text/plain; charset=us-ascii

before
--Apple-Mail-1
Content-Disposition: inline; filename=photo.jpeg
Content-Type: image/jpeg; name=photo.jpeg
Content-Transfer-Encoding: base64

${png}
--Apple-Mail-1
Content-Type: text/plain; charset=us-ascii

after
--Apple-Mail-1--
`,
    want: { textBody: "1 2 3", htmlBody: "1 2 3", attachments: "", hasAttachment: false },
  },
  {
    name: "Apple Mail: an inline PDF in mixed is something to download",
    raw: mail`From: ada@icloud.com
Content-Type: multipart/mixed; boundary="Apple-Mail-1"

--Apple-Mail-1
Content-Type: text/plain; charset=us-ascii

See below.
--Apple-Mail-1
Content-Disposition: inline; filename="Invoice 1.pdf"
Content-Type: application/pdf; x-unix-mode=0644; name="Invoice 1.pdf"
Content-Transfer-Encoding: base64

JVBERg==
--Apple-Mail-1--
`,
    want: {
      structure: 'multipart/mixed(text/plain, application/pdf"Invoice 1.pdf"@inline)',
      textBody: "1",
      attachments: "2",
      hasAttachment: true,
    },
  },
  {
    name: "Outlook: TNEF winmail.dat in base64",
    raw: mail`From: "Doe, John" <john@example.com>
Subject: RE: report
X-MS-TNEF-Correlator: <abc@example.com>
Content-Type: multipart/mixed;
	boundary="----=_NextPart_000_0001_01DA.ABC"

This is a multi-part message in MIME format.

------=_NextPart_000_0001_01DA.ABC
Content-Type: text/plain;
	charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable

Attached.

------=_NextPart_000_0001_01DA.ABC
Content-Type: application/ms-tnef;
	name="winmail.dat"
Content-Transfer-Encoding: base64
Content-Disposition: attachment;
	filename="winmail.dat"

eJ8+Ig==

------=_NextPart_000_0001_01DA.ABC--

`,
    want: {
      subject: "RE: report",
      from: "Doe, John <john@example.com>",
      structure: 'multipart/mixed(text/plain;iso-8859-1, application/ms-tnef"winmail.dat"@attachment)',
      textBody: "1",
      attachments: "2",
      values: { "1": "Attached.\n" },
      hasAttachment: true,
    },
  },
  {
    name: "Outlook: images of a signature in related around alternative",
    raw: mail`From: john@example.com
Content-Type: multipart/related; boundary="_004_"; type="multipart/alternative"

--_004_
Content-Type: multipart/alternative; boundary="_000_"

--_000_
Content-Type: text/plain; charset="us-ascii"

Hi
--_000_
Content-Type: text/html; charset="us-ascii"

Hi <img src="cid:image001.png@01DA.ABC">
--_000_--

--_004_
Content-Type: image/png; name="image001.png"
Content-Description: image001.png
Content-Disposition: inline; filename="image001.png"; size=8;
	creation-date="Thu, 01 Jan 2026 10:00:00 GMT"
Content-ID: <image001.png@01DA.ABC>
Content-Transfer-Encoding: base64

${png}
--_004_--
`,
    want: { textBody: "1", htmlBody: "2", attachments: "3", hasAttachment: false, values: { "1": "Hi" } },
  },
  {
    name: "Outlook: reply whose quote begins with a line of underscores",
    raw: mail`From: john@example.com
Content-Type: text/plain; charset="utf-8"

Yes, that works.

________________________________
From: Ada <ada@example.com>
Sent: Thursday, January 1, 2026 10:00 AM
Subject: Lunch

Lunch?
`,
    want: { preview: "Yes, that works." },
  },
  {
    name: "Thunderbird: reply with an attribution and a signature",
    raw: mail`From: ada@example.com
User-Agent: Mozilla Thunderbird
In-Reply-To: <1@example.com>
References: <0@example.com> <1@example.com>
Content-Type: text/plain; charset=UTF-8; format=flowed
Content-Transfer-Encoding: 8bit

On 1/1/26 10:00, Bob wrote:
> Lunch?

${utf8("Gern – um zwölf.")}

-- 
Ada
`,
    want: { preview: "Gern – um zwölf.", inReplyTo: ["1@example.com"], references: ["0@example.com", "1@example.com"] },
  },
  {
    name: "forwarded inline by Apple Mail",
    raw: mail`From: ada@icloud.com
Subject: Fwd: Lunch

FYI

Begin forwarded message:

From: Bob <bob@example.com>
Subject: Lunch
`,
    want: { subject: "Fwd: Lunch", preview: "FYI" },
  },
  {
    name: "old Mac: AppleDouble",
    raw: mail`From: ada@example.com
Content-Type: multipart/mixed; boundary="m"

--m

See the picture.
--m
Content-Type: multipart/appledouble; boundary="d"

--d
Content-Type: application/applefile; name="x.jpg"
Content-Transfer-Encoding: base64

AAUWBw==
--d
Content-Type: image/jpeg; name="x.jpg"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="x.jpg"

${png}
--d--
--m--
`,
    want: { textBody: "1", attachments: "2 3", hasAttachment: true },
  },
];
