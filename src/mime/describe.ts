import { type HeaderField, unfold } from "./field.ts";
import { isDelSp } from "./flowed.ts";
import { parameter, parseParameterised } from "./params.ts";
import type { Part, TransferEncoding } from "./structure.ts";
import { withoutComments } from "./tokens.ts";

interface ContentFields {
  type?: string;
  disposition?: string;
  encoding?: string;
  id?: string;
  language?: string;
  location?: string;
}

/** True for field names that `describe` uses. */
export const isDescriptive = (name: string): boolean => name.length >= 10 && /^content-/i.test(name);

function contentFields(fields: HeaderField[]): ContentFields {
  const found: ContentFields = {};
  for (const { name, value } of fields) {
    const lower = name.toLowerCase();
    if (lower === "content-type") found.type = value;
    else if (lower === "content-disposition") found.disposition = value;
    else if (lower === "content-transfer-encoding") found.encoding = value;
    else if (lower === "content-id") found.id = value;
    else if (lower === "content-language") found.language = value;
    else if (lower === "content-location") found.location = value;
  }
  return found;
}

/** RFC 2045 §6.1, other names of uuencode, and common misspellings; without punctuation. */
const encodings = new Map<string, TransferEncoding>(
  Object.entries({
    "7bit": "7bit 7bits 7 sevenbit",
    "8bit": "8bit 8bits 8 eightbit",
    binary: "binary",
    base64: "base64 b64 base xbase64",
    "quoted-printable": "quotedprintable quoteprintable quotedprint quoted qp xquotedprintable",
    uuencode: "xuuencode xuuencoded xuue uuencode uuencoded uue",
  } satisfies Partial<Record<TransferEncoding, string>>).flatMap(([encoding, names]) =>
    names.split(" ").map((name): [string, TransferEncoding] => [name, encoding as TransferEncoding]),
  ),
);

function transferEncoding(raw: string | undefined): TransferEncoding {
  if (raw === undefined) return "7bit";
  const text = withoutComments(unfold(raw)).replaceAll('"', "").trim();
  const token = /^[^\s;,]*/.exec(text)![0].toLowerCase();
  return token === "" ? "7bit" : (encodings.get(token.replace(/[^a-z0-9]/g, "")) ?? "unknown");
}

/** RFC 2392, RFC 2045 §7 */
function contentId(raw: string): string | null {
  const text = withoutComments(unfold(raw)).trim();
  // A long id may be folded.
  return (/<([^<>]*)>/.exec(text)?.[1] ?? text).replace(/\s+/g, "") || null;
}

/** RFC 3282 §2 */
function languages(raw: string): string[] | null {
  const tags = withoutComments(unfold(raw))
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
  return tags.length === 0 ? null : tags;
}

const mediaType = /^[!#$%&'*+.^_`{|}~\w-]+\/[!#$%&'*+.^_`{|}~\w-]+$/;

/**
 * RFC 2045 §5.2: an unreadable value counts as text/plain, unless it begins like a type that is not text
 * (`image/not/valid`, `application`): then the bytes are to be downloaded, not shown.
 */
function typeOfBroken(value: string): string {
  return /^(application|audio|font|image|message|model|video)\b/.test(value)
    ? "application/octet-stream"
    : "text/plain";
}

/** RFC 8621 §4.1.4: the properties that a part's header gives, and the boundary of a multipart. */
export function describe(fields: HeaderField[], inDigest: boolean): { part: Part; boundary: string | null } {
  const content = contentFields(fields);
  const given = content.type === undefined ? undefined : parseParameterised(content.type);
  let type = given?.value;
  // RFC 2046 §5.1.5
  if (type === undefined) type = inDigest ? "message/rfc822" : "text/plain";
  else if (!mediaType.test(type)) type = typeOfBroken(type);
  let boundary: string | null = null;
  if (type.startsWith("multipart/")) {
    boundary = (given?.params.get("boundary") ?? (given && parameter(given, "boundary")))?.trimEnd() ?? null;
    // Without a boundary there are no parts, but the content can be read as text.
    if (boundary === null || boundary === "") type = "text/plain";
  }
  // RFC 8621 §4.1.4 says so for every part without the field, in a digest too.
  const implicit = content.type === undefined || type.startsWith("text/") ? "us-ascii" : null;
  const disposition = content.disposition === undefined ? undefined : parseParameterised(content.disposition);
  const part: Part = {
    partId: null,
    type,
    charset: (given && parameter(given, "charset")) || implicit,
    ...(given && isDelSp(given) && { delSp: true }),
    name: (disposition && parameter(disposition, "filename")) || (given && parameter(given, "name")) || null,
    disposition: disposition?.value || null,
    cid: content.id === undefined ? null : contentId(content.id),
    language: content.language === undefined ? null : languages(content.language),
    location: (content.location && unfold(content.location).replace(/\s+/g, "")) || null,
    encoding: transferEncoding(content.encoding),
    header: { start: 0, end: 0 },
    body: { start: 0, end: 0 },
    size: 0,
    parts: null,
  };
  // In the form that the walker compares: one character per byte.
  return { part, boundary: boundary ? Buffer.from(boundary, "utf8").toString("latin1") : null };
}
