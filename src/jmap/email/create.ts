import type { Random } from "../../base/clock.ts";
import { type BuildPart, buildMessage, encodeHeader } from "../../mime/build.ts";
import { type HeaderField, headerForm } from "../../mime/headers.ts";
import { parseParameterised } from "../../mime/params.ts";
import { SetError } from "../errors.ts";
import { bool, checker, list, map, nullable, openObject, optional, text, unsignedInt } from "../schema.ts";
import { Faults } from "../standard/faults.ts";
import type { JmapObject } from "../standard/type.ts";
import { givenFields, lineFault } from "./create-fields.ts";

/** RFC 8621 §4.1.4: an EmailBodyPart as the client wrote it. */
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
  /** The parameters of a Content-Type that was given as a header field. */
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

/** The properties of a part that set a field: a header property must not set it too. */
const partFields: Record<string, string[]> = {
  "content-type": ["type", "charset", "name"],
  "content-disposition": ["disposition", "name"],
  "content-id": ["cid"],
  "content-language": ["language"],
  "content-location": ["location"],
};
/** The properties of a part that appear in its header. */
const headerProperties = ["name", "type", "charset", "disposition", "cid", "language", "location"];
const mediaType = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/i;

/** The parts of an Email/set create, and the sources of their bytes. */
export class Draft {
  readonly #email: JmapObject;
  readonly #faults = new Faults();
  readonly #values: Record<string, BodyValue>;
  readonly #root: GivenPart | undefined;
  readonly #headers: HeaderField[];
  #parts = 0;

  /** Throws a SetError that names everything RFC 8621 §4.6 forbids. */
  constructor(email: JmapObject) {
    this.#email = email;
    if (given(email.headers)) this.#faults.add("headers", "set each header field as a property of its own");
    this.#headers = givenFields(email, "", (name) => name.startsWith("content-"), this.#faults);
    this.#values = (email.bodyValues ?? {}) as Record<string, BodyValue>;
    this.#checkValues();
    this.#root = this.#structure();
    const error = this.#faults.error();
    if (error) throw error;
  }

  /** The blobs that the parts name, each once; "#x" for one that an earlier call created. */
  get blobIds(): string[] {
    const found = new Set<string>();
    const visit = (part: GivenPart) => {
      if (given(part.blobId)) found.add(part.blobId);
      for (const child of part.subParts ?? []) visit(child);
    };
    if (this.#root) visit(this.#root);
    return [...found];
  }

  /** The message; Message-ID and Date are added if the client gave none. */
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

  #checkValues(): void {
    const problem = checkValues(this.#values);
    if (problem) this.#faults.add("bodyValues", problem.text);
    else if (Object.values(this.#values).some((value) => value.isEncodingProblem || value.isTruncated)) {
      this.#faults.add("bodyValues", "isEncodingProblem and isTruncated must not be true");
    }
  }

  #structure(): GivenPart | undefined {
    const { bodyStructure, textBody, htmlBody, attachments } = this.#email;
    if (given(bodyStructure)) {
      const ways = ["bodyStructure", "textBody", "htmlBody", "attachments"].filter((name) => given(this.#email[name]));
      if (ways.length > 1)
        for (const name of ways) this.#faults.add(name, "bodyStructure excludes the other body properties");
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

  /** RFC 8621 §4.6: the root part shares the message's header, so it must not set a field that the Email sets. */
  #checkRoot(root: GivenPart, property: string): void {
    const names = new Set(this.#headers.map((field) => field.name.toLowerCase()));
    const twice = givenFields(root, `${property}/`, () => false).find((field) => names.has(field.name.toLowerCase()));
    if (twice) this.#faults.add(property, `${twice.name} is set on the Email already`);
  }

  #list(value: unknown, property: string): unknown[] {
    if (!given(value)) return [];
    if (Array.isArray(value)) return value;
    this.#faults.add(property, "must be an array");
    return [];
  }

  #single(value: unknown, property: string, type: string): GivenPart | undefined {
    const parts = this.#list(value, property);
    if (!given(value)) return undefined;
    if (parts.length !== 1) {
      this.#faults.add(property, "must have exactly one part");
      return undefined;
    }
    const part = this.#part(parts[0], `${property}/0`, type, 0);
    if (part.type?.toLowerCase() !== type) this.#faults.add(`${property}/0/type`, `must be ${type}`);
    return part;
  }

  #part(value: unknown, path: string, defaultType: string | undefined, depth: number): GivenPart {
    const problem = checkPart(value);
    const isTooMuch = ++this.#parts > maxParts || depth > maxDepth;
    if (isTooMuch) this.#faults.add(path.split("/")[0]!, "too many parts, or nested too deeply");
    else if (problem) this.#faults.add(path + problem.path, problem.text);
    if (isTooMuch || problem) return { type: defaultType ?? "text/plain" };
    const isKnown = (name: string) => Object.hasOwn(partSchemas, name) || headerForm(name);
    for (const name of Object.keys(value as object)) {
      if (!isKnown(name)) this.#faults.add(`${path}/${name}`, "no such property");
    }
    const part: GivenPart = { ...(value as GivenPart), params: [] };
    for (const name of headerProperties) {
      const fault = lineFault(part[name]);
      if (fault) this.#faults.add(`${path}/${name}`, fault.text);
    }
    // Parsed now, so that a bad header is reported before any blob is read.
    const isForbidden = (name: string) => name === "content-transfer-encoding" || isSaid(part, name);
    readContentType(part, givenFields(part, `${path}/`, isForbidden, this.#faults));
    if (!given(part.type)) {
      part.type = defaultType ?? (given(part.subParts) ? "multipart/mixed" : "text/plain");
    }
    if (given(part.type) && !mediaType.test(part.type)) this.#faults.add(`${path}/type`, "is not a media type");
    if (given(part.headers)) this.#faults.add(`${path}/headers`, "set each header field as a property");
    this.#checkContent(part, path);
    if (given(part.subParts)) {
      part.subParts = part.subParts.map((child, index) =>
        this.#part(child, `${path}/subParts/${index}`, implicitType(part, child), depth + 1),
      );
    }
    return part;
  }

  #checkContent(part: GivenPart, path: string): void {
    const wrong = (text: string, ...members: string[]) => {
      for (const member of members) this.#faults.add(path + member, text);
    };
    const isMultipart = part.type?.toLowerCase().startsWith("multipart/") ?? false;
    if (isMultipart !== given(part.subParts)) wrong("subParts and a multipart type go together", "/subParts");
    else if (isMultipart && (given(part.partId) || given(part.blobId))) {
      wrong("a multipart must not have content of its own", "");
    } else if (!isMultipart && given(part.partId) === given(part.blobId)) {
      wrong("a part must have either a partId or a blobId", "/partId", "/blobId");
    }
    if (given(part.partId)) {
      if (!Object.hasOwn(this.#values, part.partId)) {
        wrong("not in bodyValues", "/partId");
        this.#faults.add("bodyValues", `"${part.partId}" is missing`);
      }
      if (given(part.charset)) wrong("the server chooses the charset", "/charset");
      if (given(part.size)) wrong("the server determines the size", "/size");
    }
  }

  #build(part: GivenPart, blobs: ReadonlyMap<string, Buffer>): BuildPart {
    const { name, disposition, cid, language, location, charset } = part;
    const built = {
      type: part.type!.toLowerCase(),
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

/** RFC 8621 §4.1.4, RFC 2046 §5.1.5: the default type of a part, where it depends on the enclosing part. */
function implicitType({ type }: GivenPart, child: unknown): string | undefined {
  const isLeaf = !given((child as GivenPart | null)?.subParts);
  return isLeaf && type?.toLowerCase() === "multipart/digest" ? "message/rfc822" : undefined;
}

function isSaid(part: GivenPart, field: string): boolean {
  return (partFields[field] ?? []).some((property) => given(part[property]));
}

const isContentType = (field: HeaderField) => field.name.toLowerCase() === "content-type";

/** Takes the type and the parameters from a Content-Type header field, except parameters that the server chooses. */
function readContentType(part: GivenPart, fields: HeaderField[]): void {
  const field = fields.find(isContentType);
  if (!field) return;
  const { value, params } = parseParameterised(field.value);
  const ours = given(part.subParts) ? ["boundary", "type"] : given(part.partId) ? ["charset"] : [];
  part.type = value;
  part.params = [...params].filter(([name]) => !ours.includes(name));
}

/** RFC 3339 in UTC without a fraction, as the Date form requires. */
const dateText = (at: Date) => at.toISOString().replace(/\.\d+Z$/, "Z");

/** The structure that mail programs expect: mixed with files, of alternative text and html, of html with its images. */
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
