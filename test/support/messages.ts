import MailComposer from "nodemailer/lib/mail-composer";

export type Attachment = {
  filename?: string;
  content: string | Buffer;
  contentType?: string;
  cid?: string;
  disposition?: "attachment" | "inline";
};
export type Mail = {
  from?: string;
  to?: string | string[];
  cc?: string | string[];
  subject?: string;
  text?: string;
  html?: string;
  attachments?: Attachment[];
  /** With or without angle brackets. (Default: a new one.) */
  messageId?: string;
  inReplyTo?: string;
  references?: string | string[];
  date?: Date;
  headers?: Record<string, string | string[]>;
};

/** A well-formed RFC 5322 message. */
export function message(mail: Mail = {}): Promise<Buffer> {
  const { attachments, disposition: _, ...rest } = { disposition: undefined, ...mail };
  const composer = new MailComposer({
    from: "Ada Sender <ada@sender.test>",
    to: "user@example.test",
    subject: "A test message",
    ...(mail.html === undefined && mail.text === undefined && { text: "Hello.\r\n" }),
    ...rest,
    attachments: attachments?.map(({ disposition, ...one }) => ({
      ...one,
      ...(disposition && { contentDisposition: disposition }),
    })),
    newline: "windows",
  });
  return composer.compile().build();
}

/** A reply to the message with this id, in its thread. */
export function reply(messageId: string, mail: Mail = {}): Promise<Buffer> {
  return message({ subject: "Re: A test message", inReplyTo: messageId, references: [messageId], ...mail });
}
