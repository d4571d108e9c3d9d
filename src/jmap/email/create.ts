import type { Random } from "../../base/clock.ts";
import { type BuildPart, buildMessage, encodeHeader } from "../../mime/build.ts";
import { type HeaderField, headerForm } from "../../mime/headers.ts";
import { parseParameterised } from "../../mime/params.ts";
import { invalidProperties, SetError } from "../errors.ts";
import { bool, checker, list, map, nullable, openObject, optional, text, unsignedInt } from "../schema.ts";
import type { JmapObject } from "../standard/type.ts";
import { givenFields } from "./create-fields.ts";

/** RFC 8621 §4.1.4: an EmailBodyPart as a client gives it. */
interface GivenPart extends JmapObject {
  partId?: string | null;
  blobId?: string | null;
  size?: number | null;
  name?: string | null;
  type?: string | null;
  charset?: string | null;
  disposition?: string | null;
  cid?: string | null;
  language?: string[] | null;
  location?: string | null;
  subParts?: GivenPart[] | null;
  /** Of a Content-Type given as a header field. */
  params?: [string, string][];
}

interface BodyValue {
  value: string;
  isEncodingProblem?: boolean | null;
  isTruncated?: boolean | null;
}

const maxDepth = 100;
const maxParts = 1000;

const partSchemas = {
  partId: optional(nullable(text)),
  blobId: optional(nullable(text)),
  size: optional(nullable(unsignedInt)),
  name: optional(nullable(text)),
  type: optional(nullable(text)),
  charset: optional(nullable(text)),
  disposition: optional(nullable(text)),
  cid: optional(nullable(text)),
  language: optional(nullable(list(text))),
  location: optional(nullable(text)),
  headers: optional(nullable(list(openObject({})))),
  subParts: optional(nullable(list(openObject({})))),
};
const checkPart = checker(openObject(partSchemas));
const checkValues = checker(
  map(
    text,
    openObject({ value: text, isEncodingProblem: optional(nullable(bool)), isTruncated: optional(nullable(bool)) }),
  ),
);

/** Fields that properties of a part stand for: a header property may not say them as well. */
const partFields: Record<string, string[]> = {
  "content-type": ["type", "charset", "name"],
  "content-disposition": ["disposition", "name"],
  "content-id": ["cid"],
  "content-language": ["language"],
  "content-location": ["location"],
};
const mediaType = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/i;

/** The parts of an Email/set create, and where their bytes come from. */
export class Draft {
  readonly #email: JmapObject;
  readonly #values: Record<string, BodyValue>;
  readonly #root: GivenPart | undefined;
  readonly #headers: HeaderField[];
  #parts = 0;

  /** Throws a SetError for what RFC 8621 §4.6 forbids. */
  constructor(email: JmapObject) {
    this.#email = email;
    if (given(email.headers)) throw invalidProperties("set each header field as a property of its own", "headers");
    this.#headers = givenFields(email, "", (name) => name.startsWith("content-"));
    const problem = given(email.bodyValues) && checkValues(email.bodyValues);
    if (problem) throw invalidProperties(`bodyValues: ${problem.text}`, "bodyValues");
    this.#values = (email.bodyValues ?? {}) as Record<string, BodyValue>;
    for (const value of Object.values(this.#values)) {
      if (value.isEncodingProblem || value.isTruncated) {
        throw invalidProperties("a body value to be written is neither truncated nor a problem", "bodyValues");
      }
    }
    this.#root = this.#structure();
  }

  /** The blobs that its parts name, each once. */
  get blobIds(): string[] {
    const found = new Set<string>();
    const visit = (part: GivenPart) => {
      if (given(part.blobId)) found.add(part.blobId);
      for (const child of part.subParts ?? []) visit(child);
    };
    if (this.#root) visit(this.#root);
    return [...found];
  }

  /** The message, with a Message-ID and a Date if the client gave none. */
  build(blobs: ReadonlyMap<string, Buffer>, now: Date, random: Random): Buffer {
    const headers = [...this.#headers];
    const root = this.#root ?? { type: "text/plain" };
    const set = [...headers, ...givenFields(root, "part/", () => false)];
    const has = (name: string) => set.some((field) => field.name.toLowerCase() === name);
    if (!has("message-id")) {
      headers.unshift({ name: "Message-ID", value: encodeHeader("MessageIds", [this.#messageId(random)]) });
    }
    if (!has("date")) headers.unshift({ name: "Date", value: encodeHeader("Date", dateText(now)) });
    return buildMessage({ headers, body: this.#build(root, blobs) }, random);
  }

  #messageId(random: Random): string {
    const from = this.#email.from as { email: string }[] | null | undefined;
    const domain = /@([a-z0-9.-]+)$/i.exec(from?.[0]?.email ?? "")?.[1] ?? "localhost";
    return `${random(18).toString("base64url")}@${domain}`;
  }

  #structure(): GivenPart | undefined {
    const { bodyStructure, textBody, htmlBody, attachments } = this.#email;
    if (given(bodyStructure)) {
      const also = ["textBody", "htmlBody", "attachments"].filter((name) => given(this.#email[name]));
      if (also.length > 0) throw invalidProperties("bodyStructure stands alone", "bodyStructure", ...also);
      const root = this.#part(bodyStructure, "bodyStructure", undefined, 0);
      this.#checkRoot(root, "bodyStructure");
      return root;
    }
    const plain = this.#single(textBody, "textBody", "text/plain");
    const html = this.#single(htmlBody, "htmlBody", "text/html");
    const files = this.#list(attachments, "attachments").map((part, index) =>
      this.#part(part, `attachments/${index}`, undefined, 0),
    );
    const root = compose(plain, html, files);
    if (root && root === plain) this.#checkRoot(root, "textBody");
    if (root && root === html) this.#checkRoot(root, "htmlBody");
    return root;
  }

  /** RFC 8621 §4.6: the root part, whose header is the message's, may not set a field that the Email sets. */
  #checkRoot(root: GivenPart, property: string): void {
    const names = new Set(this.#headers.map((field) => field.name.toLowerCase()));
    const twice = givenFields(root, `${property}/`, () => false).find((field) => names.has(field.name.toLowerCase()));
    if (twice) throw invalidProperties(`${twice.name} is set on the Email already`, property);
  }

  #list(value: unknown, property: string): unknown[] {
    if (!given(value)) return [];
    if (!Array.isArray(value)) throw invalidProperties(`${property} must be an array`, property);
    return value;
  }

  #single(value: unknown, property: string, type: string): GivenPart | undefined {
    const parts = this.#list(value, property);
    if (!given(value)) return undefined;
    if (parts.length !== 1) throw invalidProperties(`${property} has exactly one part`, property);
    const part = this.#part(parts[0], `${property}/0`, type, 0);
    if (part.type?.toLowerCase() !== type)
      throw invalidProperties(`${property} is of type ${type}`, `${property}/0/type`);
    return part;
  }

  #part(value: unknown, path: string, defaultType: string | undefined, depth: number): GivenPart {
    const problem = checkPart(value);
    if (problem) throw invalidProperties(`${path}: ${problem.text}`, path + problem.path);
    const unknown = Object.keys(value as object).find((name) => !Object.hasOwn(partSchemas, name) && !headerForm(name));
    if (unknown !== undefined) throw invalidProperties(`${unknown}: no such property`, `${path}/${unknown}`);
    if (++this.#parts > maxParts || depth > maxDepth) throw invalidProperties("too many or too deep parts", path);
    const part: GivenPart = { ...(value as GivenPart), params: [] };
    this.#checkFields(part, path);
    readContentType(part, path);
    if (!given(part.type)) {
      part.type = defaultType ?? (given(part.subParts) ? "multipart/mixed" : given(part.partId) ? "text/plain" : null);
    }
    if (given(part.type) && !mediaType.test(part.type)) throw invalidProperties("no media type", `${path}/type`);
    if (given(part.headers)) throw invalidProperties("set each header field as a property", `${path}/headers`);
    this.#checkContent(part, path);
    if (given(part.subParts)) {
      part.subParts = part.subParts.map((child, index) =>
        this.#part(child, `${path}/subParts/${index}`, undefined, depth + 1),
      );
    }
    return part;
  }

  #checkContent(part: GivenPart, path: string): void {
    const isMultipart = part.type?.toLowerCase().startsWith("multipart/") ?? false;
    if (isMultipart !== given(part.subParts)) {
      throw invalidProperties("subParts and a multipart type go together", `${path}/subParts`);
    }
    if (isMultipart && (given(part.partId) || given(part.blobId))) {
      throw invalidProperties("a multipart has no content of its own", path);
    }
    if (!isMultipart && given(part.partId) === given(part.blobId)) {
      throw invalidProperties("a part has either a partId or a blobId", `${path}/partId`, `${path}/blobId`);
    }
    if (given(part.partId)) {
      if (!Object.hasOwn(this.#values, part.partId)) {
        throw invalidProperties("not in bodyValues", `${path}/partId`, "bodyValues");
      }
      if (given(part.charset)) throw invalidProperties("the server chooses the charset", `${path}/charset`);
      if (given(part.size)) throw invalidProperties("the server finds the size", `${path}/size`);
    }
  }

  /** At once, so that a bad header is told before any blob is read. */
  #checkFields(part: GivenPart, path: string): void {
    givenFields(part, `${path}/`, (name) => name === "content-transfer-encoding" || isSaid(part, name));
  }

  #build(part: GivenPart, blobs: ReadonlyMap<string, Buffer>): BuildPart {
    const { name, disposition, cid, language, location, charset } = part;
    const built = {
      type: part.type?.toLowerCase() ?? "application/octet-stream",
      headers: givenFields(part, "part/", () => false).filter((field) => !isContentType(field)),
      params: part.params ?? [],
      ...(given(name) && { name }),
      ...(given(disposition) && { disposition }),
      ...(given(cid) && { cid }),
      ...(given(language) && { language }),
      ...(given(location) && { location }),
      ...(given(charset) && { charset }),
    };
    if (part.subParts) return { ...built, content: { parts: part.subParts.map((child) => this.#build(child, blobs)) } };
    if (given(part.blobId)) return { ...built, content: { bytes: blobs.get(part.blobId)! } };
    return { ...built, content: { text: given(part.partId) ? this.#values[part.partId]!.value : "" } };
  }
}

function given<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

function isSaid(part: GivenPart, field: string): boolean {
  return (partFields[field] ?? []).some((property) => given(part[property]));
}

const isContentType = (field: HeaderField) => field.name.toLowerCase() === "content-type";

/** Takes the type from a Content-Type given as a header field, and its parameters but those that are ours to choose. */
function readContentType(part: GivenPart, path: string): void {
  const field = givenFields(part, `${path}/`, () => false).find(isContentType);
  if (!field) return;
  const { value, params } = parseParameterised(field.value);
  const ours = given(part.subParts) ? ["boundary", "type"] : given(part.partId) ? ["charset"] : [];
  part.type = value;
  part.params = [...params].filter(([name]) => !ours.includes(name));
}

/** RFC 3339 in UTC without a fraction, as the Date form takes it. */
const dateText = (at: Date) => at.toISOString().replace(/\.\d+Z$/, "Z");

/** What mail programs expect: alternative of text and html, html related to its inline images, mixed with files. */
function compose(plain: GivenPart | undefined, html: GivenPart | undefined, files: GivenPart[]): GivenPart | undefined {
  const inline = html ? files.filter((file) => given(file.cid) && file.disposition !== "attachment") : [];
  const rest = files.filter((file) => !inline.includes(file)).map((file) => ({ disposition: "attachment", ...file }));
  const related = html && inline.length > 0 ? { type: "multipart/related", subParts: [html, ...inline] } : html;
  const text = plain && related ? { type: "multipart/alternative", subParts: [plain, related] } : (plain ?? related);
  if (rest.length === 0) return text;
  return { type: "multipart/mixed", subParts: [...(text ? [text] : []), ...rest] };
}

/** RFC 8621 §4.6 */
export function blobNotFound(notFound: string[]): SetError {
  return new SetError("blobNotFound", "no such blob", { notFound });
}
