import { arf, carrying, dsn, type Sample } from "./shapes.ts";

const exchange = {
  from: '"Microsoft Outlook" <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@far.onmicrosoft.test>',
  subject: "Undeliverable: Lunch",
  mta: "AM0PR04MB1234.eurprd04.prod.outlook.test",
};
const gmail = {
  from: "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
  subject: "Delivery Status Notification (Failure)",
  mta: "googlemail.com",
};
const bob = "bob@far.test";
const one = (name: string, expected: Sample["expected"], made: Parameters<typeof dsn>[0], about = [bob]): Sample => ({
  name,
  expected,
  message: dsn(made),
  about,
});

/** Reports in the form of RFC 3464, by server. */
export const standardSamples: Sample[] = [
  one("Postfix: unknown user", "hard", {
    told: [
      {
        to: bob,
        original: bob,
        status: "5.1.1",
        diagnostic: "550 5.1.1 <bob@far.test>: Recipient address rejected: User unknown in local recipient table",
        remote: "mx.far.test",
      },
    ],
  }),
  one("Postfix: domain not found", "hard", {
    told: [
      {
        to: bob,
        status: "5.4.4",
        diagnostic:
          "X-Postfix; Host or domain name not found. Name service error for name=far.test type=A: Host not found",
      },
    ],
  }),
  one("Postfix: mailbox full, in 552", "soft", {
    told: [{ to: bob, status: "5.2.2", diagnostic: "552 5.2.2 <bob@far.test>: Mailbox full / over quota" }],
  }),
  one("Postfix: expired in the queue", "soft", {
    told: [
      { to: bob, status: "4.4.1", diagnostic: "X-Postfix; connect to mx.far.test[192.0.2.9]:25: Connection timed out" },
    ],
  }),
  one("Postfix: delayed", "soft", {
    subject: "Delayed Mail (still being retried)",
    told: [
      {
        to: bob,
        action: "delayed",
        status: "4.4.1",
        diagnostic: "X-Postfix; connect to mx.far.test: Connection refused",
      },
    ],
  }),
  one("Postfix: relayed onwards", "good", {
    subject: "Successful Mail Delivery Report",
    told: [{ to: bob, action: "relayed", status: "2.6.0", diagnostic: "250 2.6.0 queued" }],
  }),
  one("Postfix: delivered", "good", {
    subject: "Successful Mail Delivery Report",
    told: [{ to: bob, action: "delivered", status: "2.0.0", diagnostic: "X-Postfix; delivered to mailbox" }],
  }),
  one("Postfix: blocked by a list", "soft", {
    told: [
      {
        to: bob,
        status: "5.7.1",
        diagnostic: "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
      },
    ],
  }),
  one("Postfix: sender refused for SPF", "soft", {
    told: [
      {
        to: bob,
        status: "5.7.23",
        diagnostic:
          "550 5.7.23 <bob@far.test>: Recipient address rejected: Message rejected due to: SPF fail - not authorized",
      },
    ],
  }),
  one("Postfix: mail loop", "soft", {
    told: [{ to: bob, status: "5.4.6", diagnostic: "X-Postfix; mail for far.test loops back to myself" }],
  }),
  one(
    "Postfix: an alias that failed behind the address",
    "hard",
    {
      told: [{ to: "robert@inner.far.test", original: bob, status: "5.1.1", diagnostic: "550 5.1.1 no such user" }],
    },
    ["robert@inner.far.test", bob],
  ),
  one(
    "Postfix: two recipients, one of them delayed",
    "hard",
    {
      told: [
        { to: bob, status: "5.1.1", diagnostic: "550 5.1.1 unknown user" },
        { to: "eve@far.test", action: "delayed", status: "4.2.0", diagnostic: "450 4.2.0 greylisted" },
      ],
    },
    [bob, "eve@far.test"],
  ),
  one(
    "Postfix: local delivery with an ORCPT in xtext",
    "hard",
    {
      told: [
        {
          to: "bob+lists@far.test",
          original: "bob+2Blists@far.test",
          status: "5.1.1",
          diagnostic: "550 5.1.1 user unknown",
        },
      ],
    },
    ["bob+lists@far.test"],
  ),
  one("Exchange Online: recipient not found", "hard", {
    ...exchange,
    told: [
      {
        to: bob,
        status: "5.1.10",
        diagnostic:
          "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient bob@far.test not found by SMTP address lookup",
      },
    ],
  }),
  one("Exchange Online: directory-based edge blocking", "hard", {
    ...exchange,
    told: [
      {
        to: bob,
        status: "5.4.1",
        diagnostic:
          "550 5.4.1 Recipient address rejected: Access denied. [AM0EUR05FT042.eop-eur05.prod.protection.outlook.test]",
      },
    ],
  }),
  one("Exchange Online: mailbox full", "soft", {
    ...exchange,
    told: [
      {
        to: bob,
        status: "5.2.2",
        diagnostic: "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException",
      },
    ],
  }),
  one("Exchange Online: full, with status 5.1.1 by mistake", "soft", {
    ...exchange,
    told: [{ to: bob, status: "5.1.1", diagnostic: "550 5.1.1 STOREDRV; the recipient's mailbox is full" }],
  }),
  one("Exchange Online: restricted recipient", "soft", {
    ...exchange,
    told: [
      {
        to: bob,
        status: "5.7.1",
        diagnostic: "550 5.7.1 RESOLVER.RST.RestrictedToRecipientsPermission; not authorized",
      },
    ],
  }),
  one("Exchange Online: message expired", "soft", {
    ...exchange,
    told: [{ to: bob, status: "4.4.7", diagnostic: "550 4.4.7 QUEUE.Expired; message expired" }],
  }),
  one("Exchange Online: no such domain", "hard", {
    ...exchange,
    told: [
      {
        to: bob,
        status: "5.4.310",
        diagnostic: "550 5.4.310 DNS domain far.test does not exist [Message=InfoDomainNonexistent]",
      },
    ],
  }),
  one("Exchange Online: banned sender", "soft", {
    ...exchange,
    told: [{ to: bob, status: "5.7.606", diagnostic: "550 5.7.606 Access denied, banned sending IP [192.0.2.1]" }],
  }),
  one("Exchange 2010: 5.1.1 with a hash sign", "hard", {
    ...exchange,
    told: [{ to: bob, status: "5.1.1", diagnostic: "550 #5.1.1 RESOLVER.ADR.RecipNotFound; not found ##" }],
  }),
  one("Exchange 2003: status without a diagnostic code", "hard", {
    from: "System Administrator <postmaster@far.test>",
    subject: "Undeliverable: Lunch",
    text: "Your message did not reach some or all of the intended recipients.\n\n  bob@far.test on 12/1/2026 9:00 AM\n    The e-mail account does not exist at the organization this message was sent to.",
    told: [{ to: bob, status: "5.1.1" }],
  }),
  one("Exchange: delayed", "soft", {
    ...exchange,
    subject: "Delivery Status Notification (Delay)",
    told: [{ to: bob, action: "delayed", status: "4.4.7" }],
  }),
  one("Exchange: relayed to a server without reports", "good", {
    ...exchange,
    subject: "Relayed: Lunch",
    told: [{ to: bob, action: "relayed", status: "2.6.0" }],
  }),
  one("Gmail: no such account", "hard", {
    ...gmail,
    told: [
      {
        to: bob,
        status: "5.1.1",
        diagnostic:
          "550-5.1.1 The email account that you tried to reach does not exist. Please try\n double-checking the recipient's email address for typos or\n unnecessary spaces. For more information, go to\n https://support.google.com/mail/?p=NoSuchUser a1-20020a",
      },
    ],
  }),
  one("Gmail: disabled account", "hard", {
    ...gmail,
    told: [
      {
        to: bob,
        status: "5.2.1",
        diagnostic:
          "550 5.2.1 The email account that you tried to reach is disabled. Learn more at https://support.google.com/mail/?p=DisabledUser",
      },
    ],
  }),
  one("Gmail: out of storage space", "soft", {
    ...gmail,
    told: [
      {
        to: bob,
        status: "5.2.2",
        diagnostic:
          "552 5.2.2 The recipient's inbox is out of storage space. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaPerm",
      },
    ],
  }),
  one("Gmail: over quota for now", "soft", {
    ...gmail,
    told: [
      { to: bob, status: "4.2.2", diagnostic: "452 4.2.2 The recipient's inbox is out of storage space and inactive." },
    ],
  }),
  one("Gmail: taken for spam", "soft", {
    ...gmail,
    told: [
      {
        to: bob,
        status: "5.7.1",
        diagnostic:
          "550-5.7.1 [192.0.2.1] Our system has detected that this message is\n 550-5.7.1 likely unsolicited mail. To reduce the amount of spam sent to Gmail, 550 5.7.1 this message has been blocked.",
      },
    ],
  }),
  one("Gmail: unauthenticated", "soft", {
    ...gmail,
    told: [
      {
        to: bob,
        status: "5.7.26",
        diagnostic: "550 5.7.26 This mail has been blocked because the sender is unauthenticated.",
      },
    ],
  }),
  one("Gmail: DNS error for the domain", "hard", {
    ...gmail,
    told: [
      {
        to: bob,
        status: "5.1.2",
        diagnostic:
          "DNS Error: DNS type 'mx' lookup of far.test responded with code NXDOMAIN Domain name not found: far.test",
      },
    ],
  }),
  one("Gmail: delay", "soft", {
    ...gmail,
    subject: "Delivery Status Notification (Delay)",
    told: [
      {
        to: bob,
        action: "delayed",
        status: "4.4.1",
        diagnostic: "The recipient server did not accept our requests to connect. [192.0.2.9: timed out]",
      },
    ],
  }),
  one("Amazon SES: unknown user", "hard", {
    from: "MAILER-DAEMON@amazonses.com",
    subject: "Delivery Status Notification (Failure)",
    mta: "a8-31.smtp-out.amazonses.com",
    text: "An error occurred while trying to deliver the mail to the following recipients:\nbob@far.test",
    told: [{ to: bob, action: "failed", status: "5.1.1", diagnostic: "550 5.1.1 <bob@far.test>... User unknown" }],
  }),
  one("Amazon SES: on its suppression list", "hard", {
    from: "MAILER-DAEMON@amazonses.com",
    mta: "dns; amazonses.com",
    told: [
      {
        to: bob,
        status: "5.1.1",
        diagnostic:
          "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address.",
      },
    ],
  }),
  one("Amazon SES: content rejected", "soft", {
    from: "MAILER-DAEMON@amazonses.com",
    told: [{ to: bob, status: "5.6.0", diagnostic: "554 Message rejected: virus found" }],
  }),
  one("Amazon SES: gave up after 14 hours", "soft", {
    from: "MAILER-DAEMON@amazonses.com",
    told: [
      {
        to: bob,
        status: "4.4.7",
        diagnostic:
          "550 4.4.7 Message expired: unable to deliver in 840 minutes.<421 4.4.0 Unable to lookup DNS for far.test>",
      },
    ],
  }),
  one("Sendmail: user unknown", "hard", {
    from: "Mail Delivery Subsystem <MAILER-DAEMON@mx.far.test>",
    subject: "Returned mail: see transcript for details",
    text: "   ----- The following addresses had permanent fatal errors -----\n<bob@far.test>\n    (reason: 550 5.1.1 <bob@far.test>... User unknown)",
    told: [{ to: bob, status: "5.1.1", diagnostic: "550 5.1.1 <bob@far.test>... User unknown" }],
  }),
  one("Sendmail: could not send for four hours", "soft", {
    from: "Mail Delivery Subsystem <MAILER-DAEMON@mx.far.test>",
    subject: "Warning: could not send message for past 4 hours",
    told: [{ to: bob, action: "delayed", status: "4.4.1", remote: "mx.far.test" }],
  }),
  one("Sendmail: service unavailable and no words", "soft", {
    from: "Mail Delivery Subsystem <MAILER-DAEMON@mx.far.test>",
    told: [{ to: bob, status: "5.0.0", diagnostic: "554 5.0.0 Service unavailable" }],
  }),
  one("Exim 4.92 with a report", "hard", {
    from: "Mail Delivery System <Mailer-Daemon@mx.far.test>",
    subject: "Mail delivery failed: returning message to sender",
    fields: "X-Failed-Recipients: bob@far.test\n",
    text: "This message was created automatically by mail delivery software.\n\n  bob@far.test\n    host mx.far.test [192.0.2.9]\n    SMTP error from remote mail server after RCPT TO:<bob@far.test>:\n    550 5.1.1 User unknown",
    told: [{ to: bob, status: "5.0.0", diagnostic: "550 5.1.1 User unknown", remote: "mx.far.test" }],
  }),
  one("Domino 9: not listed", "hard", {
    from: "postmaster@far.test",
    subject: "DELIVERY FAILURE: User bob (bob@far.test) not listed in Domino Directory",
    text: "Your message\n\n  Subject: Lunch\n\nwas not delivered to:\n\n  bob@far.test\n\nbecause:\n\n  User bob (bob@far.test) not listed in Domino Directory",
    told: [{ to: bob, status: "5.1.1", diagnostic: "X-Notes; User bob (bob@far.test) not listed in Domino Directory" }],
  }),
  one("Domino: over quota", "soft", {
    from: "postmaster@far.test",
    subject: "DELIVERY FAILURE: User's mail file has exceeded its quota",
    told: [{ to: bob, status: "5.0.0", diagnostic: "X-Notes; The mailbox has exceeded its quota: cannot save" }],
  }),
  one("Yahoo, with a report", "hard", {
    from: "MAILER-DAEMON@yahoo.com",
    subject: "Failure Notice",
    told: [
      {
        to: bob,
        status: "5.0.0",
        diagnostic:
          "554 delivery error: dd This user doesn't have a yahoo.com account (bob@far.test) [0] - mta4.mail.test",
      },
    ],
  }),
  one("iCloud: full", "soft", {
    told: [{ to: bob, status: "5.2.2", diagnostic: "552 5.2.2 <bob@far.test>: user is over quota" }],
  }),
  one("Mimecast: address rejected", "hard", {
    from: "postmaster@mimecast.test",
    subject: "[Postmaster] Email Delivery Failure",
    told: [
      {
        to: bob,
        status: "5.1.1",
        diagnostic: "550 Invalid Recipient - https://community.mimecast.test/docs/DOC-1369#550",
      },
    ],
  }),
  one("Proofpoint: refused for reputation", "soft", {
    told: [{ to: bob, status: "5.7.0", diagnostic: "554 Blocked - see https://ipcheck.proofpoint.test/?ip=192.0.2.1" }],
  }),
  one("QQ with a report in Chinese", "hard", {
    from: "PostMaster@qq.com",
    subject: "=?UTF-8?B?57O757uf6YCA5L+h?=",
    text: "抱歉，您的邮件被退回来了……\n收件人：bob@far.test\n退信原因：收件人邮箱不存在",
    told: [
      {
        to: bob,
        status: "5.0.0",
        diagnostic: "550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help?id=20022",
      },
    ],
  }),
  one("Status alone, without action", "hard", {
    told: [{ to: bob, action: "", status: "5.1.1", diagnostic: "550 user unknown" }],
  }),
  one("Action with a comment", "hard", {
    told: [{ to: bob, action: "failed (bad destination mailbox address)", status: "5.1.1" }],
  }),
  one("multipart/mixed around a report, as some gateways make it", "hard", {
    type: "multipart/mixed",
    told: [{ to: bob, status: "5.1.1", diagnostic: "550 5.1.1 unknown" }],
  }),
  one("An address in angle brackets and capitals", "hard", { told: [{ to: "<Bob@FAR.test>", status: "5.1.1" }] }, [
    "Bob@FAR.test",
  ]),
  one(
    "An internationalised address (RFC 6533)",
    "hard",
    {
      told: [{ to: "utf-8; \\x{421}\\x{43B}@far.test", status: "5.1.1" }],
    },
    ["Сл@far.test"],
  ),
  one("Sender's address refused", "soft", {
    told: [{ to: bob, status: "5.1.8", diagnostic: "501 5.1.8 Domain of sender address does not resolve" }],
  }),
  one("Size limit", "soft", {
    told: [{ to: bob, status: "5.3.4", diagnostic: "552 5.3.4 Message size exceeds fixed limit" }],
  }),
];

/** Complaints: RFC 5965 and others. */
export const complaintSamples: Sample[] = [
  {
    name: "Yahoo's feedback loop",
    expected: "complaint",
    message: arf({
      from: "feedback@arf.mail.yahoo.com",
      fields: "Original-Rcpt-To: bob@far.test\nReported-Domain: here.test\n",
    }),
    about: ["bob@far.test"],
  },
  {
    name: "a redacted recipient",
    expected: "complaint",
    message: arf({ fields: "Source-IP: 192.0.2.1\n" }),
    about: ["bob@far.test"],
  },
  {
    name: "fraud",
    expected: "complaint",
    message: arf({ type: "fraud", fields: "Original-Rcpt-To: <bob@far.test>\n" }),
    about: ["bob@far.test"],
  },
  { name: "virus", expected: "complaint", message: arf({ type: "virus" }) },
  { name: "another reason", expected: "complaint", message: arf({ type: "other" }) },
  { name: "opt-out (RFC 6430's kind)", expected: "complaint", message: arf({ type: "opt-out" }) },
  { name: "in capitals", expected: "complaint", message: arf({ type: "ABUSE", from: "scomp@aol.net" }) },
  { name: "without its type", expected: "complaint", message: arf({ type: null }) },
  { name: "not-spam is no complaint", expected: "none", message: arf({ type: "not-spam" }) },
  {
    name: "auth-failure is no complaint (RFC 6591)",
    expected: "none",
    message: arf({ type: "auth-failure", fields: "Auth-Failure: dmarc\n" }),
  },
  {
    name: "Microsoft's JMRP",
    expected: "complaint",
    message: carrying(
      "From: staff@hotmail.com\nSubject: complaint about message from 192.0.2.1\nX-HmXmrOriginalRecipient: bob@far.test",
      "",
    ),
    about: ["bob@far.test"],
  },
  {
    name: "SpamCop",
    expected: "complaint",
    message: carrying(
      "From: 6512345@reports.spamcop.net\nSubject: [SpamCop (192.0.2.1) id:6512345]Lunch",
      "[ SpamCop V4 ] This message is brief.",
    ),
  },
];
