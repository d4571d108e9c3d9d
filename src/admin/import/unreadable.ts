import { hash } from "node:crypto";
import { buildMessage } from "../../mime/build.ts";
import { parseHeader } from "../../mime/headers.ts";

/** How many bytes are searched for the header of a message. */
const headerSample = 1_000_000;

/** Why the bytes are no message; undefined if they are one. */
export function unreadable(bytes: Buffer): string | undefined {
  if (bytes.length === 0) return "it is empty";
  return parseHeader(bytes.subarray(0, headerSample)).length > 0 ? undefined : "it does not begin with a header";
}

/** A message with the unreadable bytes attached, so that nothing is lost. The same bytes make the same message. */
export function wrapped(bytes: Buffer, where: string, why: string): Buffer {
  const digest = hash("sha256", bytes, "hex");
  const random = (count: number) => Buffer.from(hash("sha512", `posthorn ${digest}`, "hex"), "hex").subarray(0, count);
  const text = `Here was a message that could not be read: ${why}.\r\nIts bytes are attached.\r\n\r\nFound at ${where}\r\n`;
  return buildMessage(
    {
      headers: [
        { name: "From", value: " Import <import@posthorn.invalid>" },
        { name: "Subject", value: " A message that could not be read" },
        { name: "Message-ID", value: ` <${digest.slice(0, 32)}@import.posthorn.invalid>` },
      ],
      body: {
        type: "multipart/mixed",
        headers: [],
        content: {
          parts: [
            { type: "text/plain", charset: "utf-8", headers: [], content: { text } },
            {
              ...{ type: "application/octet-stream", name: "message.bin", disposition: "attachment" },
              headers: [],
              content: { bytes },
            },
          ],
        },
      },
    },
    random,
  );
}
