import { createHash, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { promisify } from "node:util";
import { scanHeader } from "../../mime/scan.ts";

export interface DkimKey {
  domain: string;
  selector: string;
  /** PKCS #8, PEM. */
  privateKey: string;
}

/** The fields to sign. "from" is listed once more than it occurs, so that nobody can add another. */
const signedNames = [
  "from",
  "sender",
  "reply-to",
  "subject",
  "date",
  "message-id",
  "to",
  "cc",
  "mime-version",
  "content-type",
  "content-transfer-encoding",
  "in-reply-to",
  "references",
  "list-id",
  "list-unsubscribe",
  "list-unsubscribe-post",
];

const keys = new Map<string, KeyObject>();

function keyOf(pem: string): KeyObject {
  let key = keys.get(pem);
  if (!key) {
    key = createPrivateKey(pem);
    if (keys.size > 1000) keys.clear();
    keys.set(pem, key);
  }
  return key;
}

/** RFC 6376, relaxed/relaxed, rsa-sha256: the DKIM-Signature field of a message with CRLF line ends. */
export async function dkimSignature(
  message: Buffer,
  { domain, selector, privateKey }: DkimKey,
  now: Date,
): Promise<string> {
  const fields: Field[] = [];
  const end = scanHeader(message, ({ name, value, end }) => {
    fields.push({ name: name.toLowerCase(), value: message.toString("latin1", value, end) });
  });
  const body = message.subarray(end + (message[end] === 0x0d ? 2 : 1));
  const hash = createHash("sha256").update(relaxedBody(body)).digest("base64");
  const chosen = chooseFields(fields);
  const names = [...chosen.map(({ name }) => name), "from"].join(":");
  const unsigned = [
    `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=${domain}; s=${selector};`,
    ` t=${Math.floor(now.getTime() / 1000)};`,
    ` h=${names.replace(/(.{1,60}:)(?=.)/g, "$1\r\n  ")};`,
    ` bh=${hash};`,
    " b=",
  ].join("\r\n");
  const own = { name: "dkim-signature", value: unsigned.slice(unsigned.indexOf(":") + 1) };
  const input = [...chosen, own].map(relaxedField).join("\r\n");
  const signature = await promisify(sign)("sha256", Buffer.from(input, "latin1"), keyOf(privateKey));
  return `${unsigned}${signature.toString("base64").replace(/(.{72})(?=.)/g, "$1\r\n  ")}\r\n`;
}

interface Field {
  /** In lower case. */
  name: string;
  value: string;
}

/** Of several fields with one name, the last comes first (RFC 6376 §5.4.2). */
function chooseFields(fields: Field[]): Field[] {
  return signedNames.flatMap((name) => fields.filter((field) => field.name === name).reverse());
}

/** RFC 6376 §3.4.2 */
function relaxedField({ name, value }: Field): string {
  const text = value
    .replace(/\r?\n/g, "")
    .replace(/[ \t]+/g, " ")
    .trim();
  return `${name}:${text}`;
}

/** Linear in the length of the body, whatever a sender puts there. */
function relaxedBody(body: Buffer): Buffer {
  const text = body
    .toString("latin1")
    .replace(/[ \t]+/g, " ")
    .replaceAll(" \r\n", "\r\n");
  let end = text.endsWith(" ") ? text.length - 1 : text.length;
  while (text.endsWith("\r\n", end)) end -= 2;
  return Buffer.from(end === 0 ? "" : `${text.slice(0, end)}\r\n`, "latin1");
}
