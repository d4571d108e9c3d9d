import { carrying, dsn, plain, quoted, type Sample } from "./shapes.ts";

type Words = Omit<Parameters<typeof plain>[0], "subject"> & { subject?: string };
const bob = "bob@far.test";
const words = (name: string, expected: Sample["expected"], made: Words, about?: string[]): Sample => ({
  name,
  expected,
  message: plain({ subject: "failure notice", ...made }),
  about: about ?? (expected === "hard" || expected === "soft" ? [bob] : []),
});

const qmail = (reason: string) => `Hi. This is the qmail-send program at far.test.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<bob@far.test>:
${reason}

--- Below this line is a copy of the message.

${quoted}`;
const exim = (reason: string) => `This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  bob@far.test
${reason}

------ This is a copy of the message, including all the headers. ------

${quoted}`;
const eximFields = {
  from: "Mail Delivery System <Mailer-Daemon@mx.far.test>",
  subject: "Mail delivery failed: returning message to sender",
};
const yahoo = (reason: string) => `Sorry, we were unable to deliver your message to the following address.

<bob@far.test>:
${reason}

--- Below this line is a copy of the message.

${quoted}`;

/** Reports in words alone. */
export const wordSamples: Sample[] = [
  words("qmail: no mailbox", "hard", { text: qmail("Sorry, no mailbox here by that name. (#5.1.1)") }),
  words("qmail: remote host", "hard", {
    text: qmail(
      "192.0.2.9 does not like recipient.\nRemote host said: 550 5.1.1 unknown user\nGiving up on 192.0.2.9.",
    ),
  }),
  words("qmail: no such host", "hard", { text: qmail("Sorry, I couldn't find any host named far.test. (#5.1.2)") }),
  words("qmail: too long in the queue", "soft", {
    text: qmail(
      "192.0.2.9 failed after I sent the message.\nRemote host said: 451 try later\nI'm not going to try again; this message has been in the queue too long.",
    ),
  }),
  words("qmail: over quota", "soft", {
    text: qmail("Recipient's mailbox is full, message returned to sender. (#5.2.2)"),
  }),
  words("vpopmail: disabled", "hard", { text: qmail("This account has been disabled or discontinued [#102].") }),
  words("Exim: unrouteable", "hard", {
    ...eximFields,
    text: exim("    Unrouteable address"),
    fields: "X-Failed-Recipients: bob@far.test\nAuto-Submitted: auto-replied\n",
  }),
  words("Exim: remote refusal", "hard", {
    ...eximFields,
    text: exim("    SMTP error from remote mail server after RCPT TO:<bob@far.test>:\n    550 No such user here"),
    fields: "X-Failed-Recipients: bob@far.test\n",
  }),
  words("Exim: retry time not reached for long", "soft", {
    ...eximFields,
    text: exim("    retry timeout exceeded"),
    fields: "X-Failed-Recipients: bob@far.test\n",
  }),
  words("Exim: quota", "soft", {
    ...eximFields,
    text: exim("    mailbox is full:\n    retry timeout exceeded"),
    fields: "X-Failed-Recipients: bob@far.test\n",
  }),
  words("Exim: spam", "soft", {
    ...eximFields,
    text: exim(
      "    SMTP error from remote mail server after end of data:\n    550 This message scored 12.1 spam points.",
    ),
    fields: "X-Failed-Recipients: bob@far.test\n",
  }),
  words("Exim: delayed 24 hours", "soft", {
    ...eximFields,
    subject: "Warning: message 1abc delayed 24 hours",
    text: "This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its recipients after more than 24 hours on the queue on mx.far.test.\n\nThe address to which the message has not yet been delivered is:\n\n  bob@far.test\n    Delay reason: Connection refused\n\nNo action is required on your part. Delivery attempts will continue for some time.",
  }),
  words("Sendmail 8.8 without a report", "hard", {
    from: "Mail Delivery Subsystem <MAILER-DAEMON@old.far.test>",
    subject: "Returned mail: User unknown",
    text: `The original message was received at Tue, 1 Dec 2026 09:00:00 GMT\n\n   ----- The following addresses had permanent fatal errors -----\n<bob@far.test>\n\n   ----- Transcript of session follows -----\n550 <bob@far.test>... User unknown\n\n   ----- Original message follows -----\n\n${quoted}`,
  }),
  words("Sendmail: transient failures", "soft", {
    from: "Mail Delivery Subsystem <MAILER-DAEMON@old.far.test>",
    subject: "Returned mail: Cannot send message within 5 days",
    text: "   ----- The following addresses had delivery problems -----\n<bob@far.test>\n\n   ----- Transcript of session follows -----\n<bob@far.test>... Deferred: Connection timed out with far.test.\nMessage could not be delivered for 5 days\nMessage will be deleted from queue",
  }),
  words("Yahoo: no account", "hard", {
    from: "MAILER-DAEMON@yahoo.com",
    subject: "Failure Notice",
    text: yahoo("554: delivery error: dd This user doesn't have a yahoo.com account (bob@far.test) [0]"),
  }),
  words("Yahoo: refused by policy", "soft", {
    from: "MAILER-DAEMON@yahoo.com",
    subject: "Failure Notice",
    text: yahoo("Remote host said: 554 5.7.9 Message not accepted for policy reasons [BODY]"),
  }),
  words("Domino R5", "hard", {
    from: "Postmaster@far.test",
    subject: "DELIVERY FAILURE: User bob (bob@far.test) not listed in public Name & Address Book",
    text: "Your message\n\n  Subject: Lunch\n\nwas not delivered to:\n\n  bob@far.test\n\nbecause:\n\n  User bob (bob@far.test) not listed in public Name & Address Book",
  }),
  words("Exchange 5.5", "hard", {
    from: "System Administrator <postmaster@far.test>",
    subject: "Undeliverable: Lunch",
    text: "Your message\n\n  To:      bob@far.test\n  Subject: Lunch\n\ndid not reach the following recipient(s):\n\nbob@far.test on Tue, 1 Dec 2026 09:00:00 -0000\n    The recipient name is not recognized\n    The MTS-ID of the original message is: c=US\n    MSEXCH:IMS:FAR:HQ:MAIL 0 (000C05A6) Unknown Recipient",
  }),
  words("MDaemon", "hard", {
    from: "MDaemon at far.test <MDaemon@far.test>",
    subject: "Permanent Delivery Failure",
    text: "The attached message had PERMANENT fatal delivery errors.\n\nAfter one or more unsuccessful delivery attempts the attached message has been removed from the mail queue.\n\nFailed address: bob@far.test\n\n--- Session Transcript ---\n RCPT To:<bob@far.test>\n 550 5.1.1 Recipient unknown <bob@far.test>",
  }),
  words("GroupWise", "soft", {
    from: "postmaster@far.test",
    subject: "Message status - undeliverable",
    text: "The message that you sent was undeliverable to the following:\n\tbob@far.test (Mailbox is full)",
  }),
  words("Gmail as it was before 2016", "hard", {
    from: "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
    subject: "Delivery Status Notification (Failure)",
    fields: "X-Failed-Recipients: bob@far.test\n",
    text: `Delivery to the following recipient failed permanently:\n\n     bob@far.test\n\nTechnical details of permanent failure:\nGoogle tried to deliver your message, but it was rejected by the server for the recipient domain far.test by mx.far.test. [192.0.2.9].\n\nThe error that the other server returned was:\n550 5.1.1 <bob@far.test>: Recipient address rejected: User unknown\n\n----- Original message -----\n\n${quoted}`,
  }),
  words("163: no such user", "hard", {
    from: "Postmaster@163.com",
    subject: "系统退信",
    text: "抱歉，您的邮件被退回来了。\n\n收件人：bob@far.test\n退信原因：收件人邮箱不存在。\n英文原因：User not found: bob@far.test\n\n----------------\nThis message is generated by Coremail.",
  }),
  words("163 in GB18030: mailbox full", "soft", {
    from: "Postmaster@126.com",
    subject: "系统退信",
    charset: "gb18030",
    text: "",
    // 您的邮件无法投递 / 收件人 bob@far.test / 原因：对方邮箱已满
    bytes: Buffer.concat([
      Buffer.from("c4fab5c4d3cabcfecedeb7a8cdb6b5dd0a", "hex"),
      Buffer.from("bob@far.test\n"),
      Buffer.from("d4add2f23ab6d4b7bdd3cacfe4d2d1c2fa0a", "hex"),
    ]),
  }),
  words("QQ: refused by the recipient", "soft", {
    from: "PostMaster@qq.com",
    subject: "来自qq.com的退信",
    text: "抱歉，您的邮件无法送达。\n收件人：bob@far.test\n原因：该邮件内容涉嫌大量群发或垃圾邮件，已被对方拒收。",
  }),
  words("Aliyun: domain does not resolve", "hard", {
    from: "system-notification@aliyun.test (邮件系统)",
    subject: "退信通知",
    text: "您发送的邮件未能投递成功。\n\n收件地址：bob@far.test\n失败原因：域名不存在，请检查收件人地址。",
  }),
  words("Sina: account not found", "hard", {
    from: "MAILER-DAEMON@sina.com",
    subject: "投递失败: Lunch",
    text: "您好，您的邮件投递失败。\n<bob@far.test>: 550 用户不存在",
  }),
  words("docomo: unknown address", "hard", {
    from: "MAILER-DAEMON@docomo.test",
    subject: "Mail System Error - Returned Mail",
    text: "次のあて先へのメッセージはエラーのため送信できませんでした。\n\nbob@far.test\n\n550 Unknown user bob@far.test",
  }),
  words("A Japanese provider: full", "soft", {
    from: "メール配信システム <postmaster@ne.test>",
    subject: "配信エラー: Lunch",
    text: "お客様のメールは以下の宛先に配信できませんでした。\n\n<bob@far.test>\n宛先のメールボックスがいっぱいのため受信できません。",
  }),
  words("A Japanese provider in ISO-2022-JP: unknown", "hard", {
    from: "MAILER-DAEMON@ne.test",
    subject: "User unknown - returned mail",
    charset: "iso-2022-jp",
    text: "",
    // 宛先不明
    bytes: Buffer.from("bob@far.test\n\x1b$B08@hITL@\x1b(B\nfailed to deliver\n", "latin1"),
  }),
  words("au: rejected by a remote server", "hard", {
    from: "Postmaster@ezweb.test",
    subject: "Mail System Error - Returned Mail",
    text: "Each of the following recipients was rejected by a remote mail server.\nThe reasons given by the server are included to help you determine why each recipient was rejected.\n\n    Recipient: <bob@far.test>\n    Reason:    <bob@far.test>: User unknown",
  }),
  words("A report in HTML", "hard", {
    from: "Mail Delivery System <postmaster@far.test>",
    subject: "Undeliverable message",
    type: "text/html",
    text: "<html><body><p>Your message could not be delivered to <b>bob@far.test</b>.</p><p>550 5.1.1 No such user</p></body></html>",
  }),
  words("In German", "hard", {
    from: "Mailer-Daemon <mailer-daemon@kunde.test>",
    subject: "Unzustellbar: Lunch",
    text: "Die Nachricht konnte nicht zugestellt werden an:\n\nbob@far.test\n\n550 5.1.1 user unknown",
  }),
  words(
    "Two addresses with different causes",
    "hard",
    {
      text: "Hi. This is the qmail-send program at far.test.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n<bob@far.test>:\nMailbox is full\n\n<eve@far.test>:\n550 5.1.1 no such user\n",
    },
    [bob, "eve@far.test"],
  ),
  {
    name: "A bounce that carries the mail but has no report",
    expected: "hard",
    about: [bob],
    message: carrying(
      "From: Mail Delivery System <mailer-daemon@far.test>\nSubject: Returned mail",
      "Your message to bob@far.test could not be delivered: no such user.",
    ),
  },
];

/** Requests to the sender to confirm. */
export const challengeSamples: Sample[] = [
  words("TMDA", "challenge", {
    from: '"bob@far.test" <bob-confirm-123@far.test>',
    subject: "Please confirm your message",
    fields: "Precedence: bulk\nAuto-Submitted: auto-replied\nX-Delivery-Agent: TMDA/1.1.12 (Macallan)\n",
    text: "This message was created automatically by mail delivery software (TMDA).\n\nYour message attached below is being held because the address has not been verified.\n\nTo release your message for delivery, please send an empty message to the following address, or use your mailer's Reply feature.\n\nThis confirmation verifies that your message is legitimate and not junk-mail. Please confirm your message.",
  }),
  words("BoxTrapper", "challenge", {
    from: "bob@far.test",
    subject: "Your email requires verification verify#abc",
    fields: "X-Boxtrapper: 123\n",
    text: "The message you sent requires that you verify that you are a real live human being and not a spam source.\nTo complete this verification, simply reply to this message and leave the subject line intact. Your message is held until then.",
  }),
  words("Spam Arrest", "challenge", {
    from: "bob@far.test <bob@spamarrest.test>",
    subject: "Re: Lunch (verification)",
    fields: "Auto-Submitted: auto-replied\n",
    text: "Bob here, I'm protecting myself from receiving junk mail with Spam Arrest.\nJust this once, click the link below so I can receive your emails. Please verify your email at https://spamarrest.test/a2?x. You won't have to do this again: mail from approved senders is delivered.",
  }),
  words("EarthLink", "challenge", {
    from: "bob@far.test",
    subject: "Re: Lunch",
    text: "I apologize for this automatic reply to your email.\n\nTo control spam, I now allow incoming messages only from senders I have approved beforehand. If you would like to be added to my list of approved senders, please fill out the short request form to confirm you are a person (see link below). Your email will be held by spamBlocker until then.",
  }),
  words("UOL", "challenge", {
    from: "AntiSpam UOL <resposta@antispam.uol.test>",
    subject: "Confirmação de envio: Lunch",
    text: "ANTISPAM UOL\n\nOlá, você enviou uma mensagem para bob@far.test. Para que sua mensagem seja encaminhada, confirmação de envio em https://antispam.uol.test. antispam",
  }),
];

/** What is no feedback, however much it looks like it. */
export const otherSamples: Sample[] = [
  {
    ...words("An absence note", "none", {
      from: "Bob <bob@far.test>",
      subject: "Automatic reply: Lunch",
      fields: "Auto-Submitted: auto-replied\nX-Auto-Response-Suppress: All\n",
      text: "I am out of the office until Monday and cannot be reached. If it is urgent, write to eve@far.test. Messages that are not delivered by then...",
    }),
  },
  {
    ...words("An absence note of one who has left", "none", {
      from: "Bob <bob@far.test>",
      subject: "Out of office",
      fields: "Auto-Submitted: auto-replied\n",
      text: "Bob is no longer employed at Far. Please write to eve@far.test instead.",
    }),
  },
  {
    ...words("A person's answer about a bounce", "none", {
      from: "Bob <bob@far.test>",
      subject: "Re: undeliverable mail?",
      text: "I got your mail twice, and once a 550 user unknown. Funny.",
    }),
    mailFrom: bob,
  },
  {
    ...words("A newsletter of a post office", "none", {
      from: "no-reply@post.test",
      subject: "Delivery failed: your parcel could not be delivered",
      fields: "List-Unsubscribe: <https://post.test/u>\n",
      text: "We tried to deliver your parcel; the address was not found.",
    }),
    mailFrom: "news@post.test",
  },
  {
    ...words("A postmaster's announcement", "none", {
      from: "postmaster@far.test",
      subject: "Maintenance on Sunday",
      text: "The mail system will be updated on Sunday at 9. Mail is queued meanwhile.",
    }),
  },
  {
    ...words("A request to confirm a subscription", "none", {
      from: "news@shop.test",
      subject: "Please confirm your subscription",
      text: "Click the link to confirm your email address for our newsletter.",
    }),
    mailFrom: "news@shop.test",
  },
  {
    ...words("A list's confirmation", "none", {
      from: "list-request@far.test",
      subject: "confirm 1234",
      fields: "List-Id: <list.far.test>\nPrecedence: bulk\n",
      text: "Please confirm your address: your posting is held. confirm your message",
    }),
  },
  {
    ...words("A mail without a sender about nothing", "none", {
      from: "app@far.test",
      subject: "Report of the week",
      text: "404 pages were not found, 550 visits.",
    }),
  },
  {
    name: "A receipt (RFC 8098)",
    expected: "none",
    message: Buffer.from(
      `From: bob@far.test\r\nTo: ann@here.test\r\nSubject: Read: Lunch\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nYour message was read.\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822;bob@far.test\r\nOriginal-Message-ID: <m1@here.test>\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n--b--\r\n`,
    ),
  },
  {
    name: "A receipt of an unread, deleted mail from a postmaster",
    expected: "none",
    message: Buffer.from(
      `From: postmaster@far.test\r\nTo: ann@here.test\r\nSubject: Not read: Lunch\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nYour message to bob@far.test was deleted without being read; the mailbox is full.\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822;bob@far.test\r\nDisposition: automatic-action/MDN-sent-automatically; deleted\r\n--b--\r\n`,
    ),
  },
  {
    name: "A colleague forwards a bounce",
    expected: "none",
    mailFrom: bob,
    message: carrying(
      "From: Bob <bob@far.test>\nSubject: Fwd: Undelivered Mail Returned to Sender",
      "Look what I got: 550 5.1.1 user unknown",
    ),
  },
  {
    name: "A delivery status without recipients",
    expected: "none",
    message: dsn({ from: "app@far.test", subject: "status", text: "nothing", told: [] }),
  },
  {
    ...words("A calendar's notice from a system", "none", {
      from: "system@far.test",
      subject: "Meeting moved",
      text: "The meeting with bob@far.test was moved to room 550.",
    }),
  },
];
