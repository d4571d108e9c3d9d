import { mail, type Shape } from "./shape.ts";

export const reportShapes: Shape[] = [
  {
    name: "qmail: a bounce without MIME",
    raw: mail`Return-Path: <>
From: MAILER-DAEMON@mx.example
To: ada@example.com
Subject: failure notice
Date: 1 Jan 2026 09:00:00 -0000

Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.

<bob@example.com>:
No such user.

--- Below this line is a copy of the message.

Subject: Lunch
`,
    want: {
      subject: "failure notice",
      from: "MAILER-DAEMON@mx.example",
      sentAt: "2026-01-01T09:00:00Z",
      structure: "text/plain",
      attachments: "",
    },
  },
  {
    name: "Exchange: DSN as multipart/report",
    raw: mail`From: Microsoft Outlook <postmaster@example.com>
To: <ada@example.com>
Subject: Undeliverable: Lunch
Content-Type: multipart/report; report-type=delivery-status;
	boundary="d1"

--d1
Content-Type: multipart/alternative; boundary="a1"

--a1
Content-Type: text/plain; charset="us-ascii"

Delivery has failed.
--a1
Content-Type: text/html; charset="us-ascii"

<p>Delivery has failed.</p>
--a1--

--d1
Content-Type: message/delivery-status

Reporting-MTA: dns;mx.example.com

Final-recipient: RFC822;bob@example.com
Action: failed
Status: 5.1.1

--d1
Content-Type: message/rfc822

From: ada@example.com
Subject: Lunch

Lunch?
--d1--
`,
    want: {
      from: "Microsoft Outlook <postmaster@example.com>",
      structure:
        "multipart/report(multipart/alternative(text/plain, text/html), message/delivery-status, message/rfc822)",
      textBody: "1",
      htmlBody: "2",
      attachments: "3 4",
      preview: "Delivery has failed.",
    },
  },
  {
    name: "Postfix: DSN with the headers only",
    raw: mail`From: MAILER-DAEMON@mx.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status;
	boundary="A1.1/mx.example"
Content-Transfer-Encoding: 8bit

This is a MIME-encapsulated message.

--A1.1/mx.example
Content-Description: Notification
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

This is the mail system at host mx.example.

--A1.1/mx.example
Content-Description: Delivery report
Content-Type: message/global-delivery-status

Reporting-MTA: dns; mx.example

--A1.1/mx.example
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

Subject: Lunch

--A1.1/mx.example--
`,
    want: {
      from: "Mail Delivery System <MAILER-DAEMON@mx.example>",
      structure: "multipart/report(text/plain;utf-8, message/global-delivery-status, text/rfc822-headers)",
      textBody: "1",
      htmlBody: "1",
      attachments: "2 3",
      values: { "1": "This is the mail system at host mx.example.\n" },
    },
  },
  {
    name: "MDN: a read receipt",
    raw: mail`From: bob@example.com
Subject: Read: Lunch
References: <1@example.com>
Content-Type: multipart/report; report-type=disposition-notification; boundary="m"

--m
Content-Type: text/plain

Your message was read.
--m
Content-Type: message/disposition-notification
Content-Disposition: inline

Final-Recipient: rfc822;bob@example.com
Original-Message-ID: <1@example.com>
Disposition: manual-action/MDN-sent-manually; displayed

--m--
`,
    want: {
      structure: "multipart/report(text/plain, message/disposition-notification@inline)",
      textBody: "1",
      attachments: "2",
      references: ["1@example.com"],
    },
  },
  {
    name: "feedback loop: an abuse report",
    raw: mail`From: fbl@example.com
Content-Type: multipart/report; report-type=feedback-report; boundary="m"

--m
Content-Type: text/plain

Spam.
--m
Content-Type: message/feedback-report

Feedback-Type: abuse
--m
Content-Type: message/rfc822
Content-Disposition: inline

Subject: x

y
--m--
`,
    want: { textBody: "1", attachments: "2 3", hasAttachment: true },
  },
  {
    name: "DMARC: the whole message is a gzipped report",
    raw: mail`From: dmarc@example.com
Subject: Report domain: example.org
Content-Type: application/gzip; name="example.xml.gz"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="example.xml.gz"

H4sIAA==
`,
    want: { textBody: "", attachments: "1", hasAttachment: true },
  },
  {
    name: "S/MIME opaque",
    raw: mail`From: ada@example.com
Subject: secret
Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="smime.p7m"

MIAGCSqGSIb3
`,
    want: { structure: 'application/pkcs7-mime"smime.p7m"@attachment', textBody: "", htmlBody: "", attachments: "1" },
  },
  {
    name: "S/MIME detached: a signature is nothing to download",
    raw: mail`From: ada@example.com
Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="s"

--s
Content-Type: text/plain

Signed.

--s
Content-Type: application/pkcs7-signature; name="smime.p7s"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="smime.p7s"

MIAGCSqGSIb3
--s--
`,
    want: {
      structure: 'multipart/signed(text/plain, application/pkcs7-signature"smime.p7s"@attachment)',
      textBody: "1",
      htmlBody: "1",
      attachments: "2",
      values: { "1": "Signed.\n" },
      hasAttachment: false,
    },
  },
  {
    name: "PGP/MIME signed, with a list footer outside",
    raw: mail`From: ada@example.com
List-Id: <list.example.com>
Content-Type: multipart/mixed; boundary="m"

--m
Content-Type: multipart/signed; micalg=pgp-sha256; protocol="application/pgp-signature"; boundary="s"

--s
Content-Type: text/plain; charset=utf-8

Signed.
--s
Content-Type: application/pgp-signature; name="signature.asc"

-----BEGIN PGP SIGNATURE-----
-----END PGP SIGNATURE-----
--s--
--m
Content-Type: text/plain; charset="us-ascii"
Content-Disposition: inline

_______
list mailing list
--m--
`,
    want: {
      structure:
        'multipart/mixed(multipart/signed(text/plain;utf-8, application/pgp-signature"signature.asc"), text/plain@inline)',
      textBody: "1 3",
      htmlBody: "1 3",
      attachments: "2",
      values: { "1": "Signed.", "3": "_______\nlist mailing list" },
      preview: "Signed.",
      hasAttachment: false,
    },
  },
  {
    name: "a signature sent as a file of its own",
    raw: mail`From: ada@example.com
Content-Type: multipart/mixed; boundary="m"

--m

Verify the release with this.
--m
Content-Type: application/pgp-signature; name="posthorn.tgz.asc"
Content-Disposition: attachment; filename="posthorn.tgz.asc"

-----BEGIN PGP SIGNATURE-----
--m--
`,
    want: { attachments: "2", hasAttachment: true },
  },
  {
    name: "PGP/MIME encrypted",
    raw: mail`From: ada@example.com
Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="e"

--e
Content-Type: application/pgp-encrypted

Version: 1
--e
Content-Type: application/octet-stream; name="encrypted.asc"
Content-Disposition: inline; filename="encrypted.asc"

-----BEGIN PGP MESSAGE-----
--e--
`,
    want: {
      structure: 'multipart/encrypted(application/pgp-encrypted, application/octet-stream"encrypted.asc"@inline)',
      textBody: "",
      htmlBody: "",
      attachments: "1 2",
      preview: "",
    },
  },
  {
    name: "PGP inline, its dashes escaped",
    raw: mail`From: ada@example.com

-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Hello
- -- 
Ada
`,
    want: { values: { "1": "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello\n- -- \nAda\n" } },
  },
  {
    name: "Mailman: a digest",
    raw: mail`From: list-request@example.com
Subject: List Digest, Vol 1
Content-Type: multipart/mixed; boundary="m"

--m
Content-Type: text/plain; charset="us-ascii"
Content-Description: List Digest, Vol 1

Today's Topics: 1. Lunch
--m
Content-Type: multipart/digest; boundary="d"

--d

Subject: Lunch
Message: 1

Lunch?
--d
Content-Type: message/rfc822
MIME-Version: 1.0

Subject: Re: Lunch

Yes.
--d--
--m
Content-Type: text/plain; charset="us-ascii"
Content-Description: Digest Footer

the footer
--m--
`,
    want: {
      structure: "multipart/mixed(text/plain, multipart/digest(message/rfc822, message/rfc822), text/plain)",
      textBody: "1 4",
      attachments: "2 3",
      preview: "Today's Topics: 1. Lunch the footer".slice(0, 24),
    },
  },
  {
    name: "moderation: the message for the owner, then for the bot",
    raw: mail`From: list-owner@example.com
Content-Type: multipart/mixed; boundary="m"

--m
Content-Type: text/plain

As list administrator, your authorization is requested.
--m
Content-Type: message/rfc822

Subject: spam

x
--m
Content-Type: message/rfc822

Subject: confirm abc

y
--m--
`,
    want: { textBody: "1", attachments: "2 3", hasAttachment: true },
  },
];
