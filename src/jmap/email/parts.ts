import { bodyParts } from "../../mime/body.ts";
import { type HeaderProperty, parseHeaderProperty, readHeaderProperty } from "../../mime/headers.ts";
import type { Part } from "../../mime/structure.ts";
import { MethodError } from "../errors.ts";
import { type Octets, weigh } from "../octets.ts";
import { bool, list, matching, nullable, object, optional, type Static, unsignedInt } from "../schema.ts";
import type { JmapObject } from "../standard/type.ts";
import { bodyValue } from "./body-value.ts";
import { headerFields, type MessageContent, partBlobId } from "./content.ts";

const plain = ["partId", "blobId", "size", "name", "type", "charset", "disposition", "cid", "language", "location"];
const known = new Set([...plain, "headers", "subParts"]);
const partProperty = matching(`^(${[...known].join("|")}|header:.+)$`);

/** RFC 8621 §4.2: the further arguments of Email/get and Email/parse. */
export const bodyArgs = object({
  bodyProperties: optional(nullable(list(partProperty))),
  fetchTextBodyValues: optional(nullable(bool)),
  fetchHTMLBodyValues: optional(nullable(bool)),
  fetchAllBodyValues: optional(nullable(bool)),
  maxBodyValueBytes: optional(nullable(unsignedInt)),
});
export type BodyArgs = Static<typeof bodyArgs>;

/** A `header:…` property, parsed. */
export interface NamedHeader {
  property: string;
  header: HeaderProperty;
}

/** The properties of each EmailBodyPart that a call asks for. */
export interface PartWant {
  properties: string[];
  headers: NamedHeader[];
  /** Whether some property needs the part's header block. */
  needsHeader: boolean;
}

/** Throws invalidArguments for a property that an EmailBodyPart does not have. */
export function partWant(bodyProperties: string[] | null | undefined): PartWant {
  const properties = [...new Set(bodyProperties ?? plain)];
  const headers: NamedHeader[] = [];
  for (const name of properties) {
    if (known.has(name)) continue;
    const header = parseHeaderProperty(name);
    if (header === undefined || header === "forbidden") {
      throw new MethodError("invalidArguments", `bodyProperties: an EmailBodyPart has no property "${name}"`);
    }
    headers.push({ property: name, header });
  }
  return { properties, headers, needsHeader: headers.length > 0 || properties.includes("headers") };
}

/** What the parts of one message are shown with. */
export interface Showing {
  want: PartWant;
  content: MessageContent;
  octets: Octets;
  /** The leaves shown so far: most appear in bodyStructure and in two lists, and there may be very many. */
  leaves: Map<Part, JmapObject>;
}

/** RFC 8621 §4.1.4: an EmailBodyPart; `deep` keeps subParts (bodyStructure alone has them by default). */
export async function bodyPart(part: Part, showing: Showing, deep: boolean): Promise<JmapObject> {
  const { want, content, octets, leaves } = showing;
  const known = leaves.get(part);
  if (known) {
    octets.take(weigh(known));
    return known;
  }
  const fields = want.needsHeader ? await headerFields(content, part) : [];
  const shown: JmapObject = {};
  for (const name of want.properties) {
    if (name === "blobId") shown[name] = partBlobId(content, part);
    else if (name === "headers") shown[name] = fields;
    else if (name === "subParts" && !part.parts) shown[name] = null;
    else if (plain.includes(name)) shown[name] = part[name as keyof Part];
  }
  for (const { property, header } of want.headers) shown[property] = readHeaderProperty(fields, header);
  octets.take(weigh(shown));
  if (deep && part.parts) {
    const subParts: JmapObject[] = [];
    for (const child of part.parts) subParts.push(await bodyPart(child, showing, true));
    shown.subParts = subParts;
  }
  if (!part.parts) leaves.set(part, shown);
  return shown;
}

/** RFC 8621 §4.1.4: the bodyValues that the arguments ask for. */
export async function bodyValues(
  content: MessageContent,
  args: BodyArgs,
  octets: Octets,
): Promise<Record<string, JmapObject>> {
  const wanted = new Set<Part>();
  const { textBody, htmlBody } = bodyParts(content.structure);
  const isText = (part: Part) => part.type.startsWith("text/");
  if (args.fetchTextBodyValues) for (const part of textBody.filter(isText)) wanted.add(part);
  if (args.fetchHTMLBodyValues) for (const part of htmlBody.filter(isText)) wanted.add(part);
  if (args.fetchAllBodyValues) for (const part of leaves(content.structure).filter(isText)) wanted.add(part);
  const maxBytes = args.maxBodyValueBytes ?? 0;
  const values: Record<string, JmapObject> = {};
  for (const part of wanted) {
    if (part.partId === null) continue;
    octets.take(maxBytes > 0 ? Math.min(part.size, maxBytes) : part.size);
    values[part.partId] = await bodyValue(content, part, maxBytes);
  }
  return values;
}

export function leaves(root: Part): Part[] {
  const found: Part[] = [];
  const stack = [root];
  for (let part = stack.pop(); part; part = stack.pop()) {
    if (part.parts) stack.push(...part.parts.toReversed());
    else found.push(part);
  }
  return found;
}
