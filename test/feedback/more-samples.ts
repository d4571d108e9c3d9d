import { plain, quoted, type Sample } from "./shapes.ts";

const more = `\n\n${quoted}`;
const words = (name: string, expected: Sample["expected"], made: Parameters<typeof plain>[0]): Sample => ({
  name,
  expected,
  message: plain(made),
  about: expected === "hard" || expected === "soft" ? ["bob@far.test"] : [],
});

/** Messages in words alone that were written after the rules that read them. */
export const moreSamples: Sample[] = [
  words("Zoho", "hard", {
    from: "mailer-daemon@mail.zoho.com",
    subject: "Undelivered Mail Returned to Sender",
    text: "This message was created automatically by mail delivery software.\n A message that you sent could not be delivered to one or more of its recipients. This is a permanent error. \n\nbob@far.test, ERROR CODE :550 - 5.1.1 The email account that you tried to reach does not exist",
  }),
  words("Mail.ru", "hard", {
    from: "mailer-daemon@corp.mail.ru",
    subject: "Mail failure.",
    text: "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. The following address(es) failed:\n\n**********************\n\nbob@far.test:\nuser not found\n\n**********************",
  }),
  words("Yandex", "hard", {
    from: "mailer-daemon@yandex.ru",
    subject: "Недоставленное сообщение",
    text: "Это письмо отправлено почтовым сервером yandex.ru.\n\nThis is the mail system at host yandex.ru.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients. It's attached below.\n\n<bob@far.test>: host mx.far.test[1.2.3.4] said: 550 5.7.1 No such user! (in reply to RCPT TO command)",
  }),
  words("Postfix without its report", "soft", {
    subject: "Undelivered Mail Returned to Sender",
    text:
      "This is the mail system at host mx.far.test.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n\n<bob@far.test>: host mx.far.test[1.2.3.4] said: 452 4.2.2 mailbox full (in reply to RCPT TO command)" +
      "\n\n--- message header ---" +
      more,
  }),
  words("InterScan", "hard", {
    from: "postmaster@far.test",
    subject: "Mail could not be delivered",
    text: "****** Message from InterScan Messaging Security Suite ******\n\n<<< 550 5.1.1 unknown user\n\nUnable to deliver message to <bob@far.test>. \n\n************************     End of message     **********************",
  }),
  words("Mercury", "hard", {
    from: "Electronic Postmaster <Postmaster@far.test>",
    subject: "Delivery failure notification",
    text: 'With reference to your message with the subject:\n   "Lunch"\n\nThe local mail transport system has reported the following problems\nit encountered while trying to deliver your message:\n\n*** bob@far.test\n    550 No such user here',
  }),
  words("Courier", "hard", {
    subject: "NOTICE: mail delivery status.",
    text: "This is a delivery status notification from mx.far.test,\nrunning the Courier mail server, version 0.65.\n\nThe original message was received on Tue\n\n---------------------------------------------------------------------------\n\n                           UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<bob@far.test>:\n    mx.far.test [1.2.3.4]:\n>>> RCPT TO:<bob@far.test>\n<<< 550 User unknown",
  }),
  words("IMail: mailbox too large", "soft", {
    from: "Postmaster <postmaster@far.test>",
    subject: "Undeliverable Mail",
    text: "User mailbox exceeds allowed size: bob@far.test",
  }),
  words("IMail: unknown user", "hard", {
    from: "Postmaster <postmaster@far.test>",
    subject: "Undeliverable Mail",
    text: `Unknown user: bob@far.test\r\n\r\n\nOriginal message follows.${more}`,
  }),
  words("Biglobe", "soft", {
    from: "postmaster@biglobe.ne.test",
    subject: "Undeliverable: Lunch",
    text: "   ----- The following addresses had delivery problems -----\n<bob@far.test>    (Mailbox Full)\n メールボックスの容量がいっぱいです",
  }),
  words("Over quota under the subject of an unknown user", "soft", {
    from: "MAILER-DAEMON@disney.ne.test",
    subject: "Returned mail: User unknown",
    text: "The user(s) account is temporarily over quota.\n\n<bob@far.test>",
  }),
  words("A Japanese mobile provider", "hard", {
    from: "Postmaster@vodafone.test",
    subject: "Undelivered",
    text: "メール送信エラー\n次のアドレスには送信できませんでした。\nbob@far.test\nアドレスが存在しません",
  }),
  words("QQ: in a sentence", "hard", {
    from: "PostMaster@qq.com",
    subject: "来自qq.com的退信",
    text: "尊敬的用户，您好！\n很抱歉您发送的邮件被退回，以下是该邮件的相关信息：\n被退回邮件 主题：Lunch\n无法发送到 bob@far.test\n退信原因 收件人邮件地址（bob@far.test）不存在，邮件无法送达。host mx.far.test said: 550 5.1.1 User unknown",
  }),
  words("Sohu", "hard", {
    from: "MAILER-DAEMON@sohu.com",
    subject: "发信失败",
    text: "抱歉，您的邮件未能发送成功。\n收件人: bob@far.test\n原因: 550 5.1.1 收件人不存在",
  }),
  words("Aliyun: taken for spam", "soft", {
    from: "postmaster@aliyun.test",
    subject: "系统退信/Systems bounce",
    text: "收件人 bob@far.test\n邮件被对方服务器判定为垃圾邮件而拒收 554 Reject by behaviour spam",
  }),
  words("T-Online", "hard", {
    from: "mailer-daemon@t-online.test",
    subject: "Mail delivery failed: returning message to sender",
    text:
      "|------------------------- Message log follows: -------------------------|\n no valid recipients were found for this message\n|------------------------- Failed addresses follow: ---------------------|\n <bob@far.test> ... unknown user\n|------------------------- Message text follows: ------------------------|" +
      more,
  }),
  words("GMX", "hard", {
    from: "GMX Mailer Daemon <mailer-daemon@gmx.test>",
    subject: "Mail delivery failed: returning message to sender",
    text: "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its recipients. This is a permanent error.\n\nThe following address failed:\n\nbob@far.test:\nSMTP error from remote server for RCPT TO command, host: mx.far.test (1.2.3.4) reason: 550 5.1.1 <bob@far.test>: Recipient address rejected: undeliverable address",
  }),
  words("Orange", "hard", {
    from: "MAILER-DAEMON@orange.test",
    subject: "Message non remis",
    text: "Votre message n'a pas pu être remis à bob@far.test : 550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR204_416",
  }),
  words("Exim: refused by Gmail", "soft", {
    from: "Mail Delivery System <Mailer-Daemon@host.test>",
    subject: "Mail delivery failed: returning message to sender",
    fields: "X-Failed-Recipients: bob@far.test\n",
    text: "This message was created automatically by mail delivery software.\n\n  bob@far.test\n    host mx.far.test [1.2.3.4]\n    SMTP error from remote mail server after pipelined end of data:\n    550-5.7.26 This mail has been blocked because the sender is unauthenticated.",
  }),
  words("A program without a sender", "hard", {
    from: "no-reply@far.test",
    subject: "Delivery Status Notification (Failure)",
    text: "Delivery to bob@far.test failed: account does not exist",
  }),
  words("A delay with few words", "soft", {
    from: "MAILER-DAEMON@far.test",
    subject: "Delayed mail (still being retried)",
    text: "<bob@far.test>: connect to mx.far.test: Connection timed out",
  }),
  words("Outlook in German", "hard", {
    from: "postmaster@outlook.test",
    subject: "Nicht zustellbar: Lunch",
    type: "text/html",
    text: "<p>Ihre Nachricht an bob@far.test konnte nicht zugestellt werden.</p><p>bob wurde bei far.test nicht gefunden.</p><p>Fehler: 550 5.1.10 RESOLVER.ADR.RecipientNotFound</p>",
  }),
  words("A shop's notice", "none", {
    from: "system@shop.test",
    subject: "Order failed",
    text: "Your payment was rejected: 550 EUR exceed the limit. Contact bob@far.test",
  }),
  words("A program's notice about deliveries", "none", {
    from: "noreply@github.test",
    subject: "[repo] Delivery status of webhook failing (#12)",
    text: "error: user not found 404, see bob@far.test",
  }),
  words("A DMARC report", "none", {
    from: "noreply-dmarc@google.test",
    subject: "Report domain: here.test Submitter: google.com",
    text: "This is a DMARC aggregate report.",
  }),
  words("A postmaster's answer", "none", {
    from: "postmaster@far.test",
    subject: "Re: our mail server",
    text: "Hi Ann, the mailbox was not found by Bob either. I will look at the policy tomorrow.",
  }),
  words("A list that waits for its moderator", "none", {
    from: "list-bounces@lists.far.test",
    subject: "Your message to list awaits moderator approval",
    text: "Your mail to 'list' with the subject Lunch is being held until the list moderator can review it for approval. The reason it is being held: Post by non-member.",
  }),
  words("Vanquish", "challenge", {
    from: "bob@far.test",
    subject: "Please verify your message",
    fields: "Auto-Submitted: auto-replied\n",
    text: "Bob uses a spam protection service. Your message is pending. Please click to confirm you are not a spammer and your message will be delivered.",
  }),
];
