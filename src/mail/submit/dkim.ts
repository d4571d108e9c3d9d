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

/**
 * RFC 6376, relaxed/relaxed, a DKIM-Signature field for each key: rsa-sha256, or ed25519-sha256 (RFC 8463). The message has
 * CRLF line ends.
 */
export async function dkimSignatures(message: Buffer, keys: readonly DkimKey[], now: Date): Promise<string> {
  if (keys.length === 0) return "";
  const fields: Field[] = [];
  const end = scanHeader(message, ({ name, value, end }) => {
    fields.push({ name: name.toLowerCase(), value: message.toString("latin1", value, end) });
  });
  const body = message.subarray(end + (message[end] === 0x0d ? 2 : 1));
  const hash = createHash("sha256").update(relaxedBody(body)).digest("base64");
  const chosen = chooseFields(fields);
  const signatures = await Promise.all(keys.map((key) => signature(key, { chosen, hash, now })));
  return signatures.join("");
}

async function signature(
  { domain, selector, privateKey }: DkimKey,
  { chosen, hash, now }: { chosen: Field[]; hash: string; now: Date },
): Promise<string> {
  const key = keyOf(privateKey);
  const isEd25519 = key.asymmetricKeyType === "ed25519";
  const names = [...chosen.map(({ name }) => name), "from"].join(":");
  const unsigned = [
    `DKIM-Signature: v=1; a=${isEd25519 ? "ed25519" : "rsa"}-sha256; c=relaxed/relaxed; d=${domain}; s=${selector};`,
    ` t=${Math.floor(now.getTime() / 1000)};`,
    ` h=${names.replace(/(.{1,60}:)(?=.)/g, "$1\r\n  ")};`,
    ` bh=${hash};`,
    " b=",
  ].join("\r\n");
  const own = { name: "dkim-signature", value: unsigned.slice(unsigned.indexOf(":") + 1) };
  const input = Buffer.from([...chosen, own].map(relaxedField).join("\r\n"), "latin1");
  // RFC 8463 §3: Ed25519 signs the hash.
  const signed = isEd25519
    ? await promisify(sign)(null, createHash("sha256").update(input).digest(), key)
    : await promisify(sign)("sha256", input, key);
  return `${unsigned}${signed.toString("base64").replace(/(.{72})(?=.)/g, "$1\r\n  ")}\r\n`;
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
