import { bodyParts } from "../../mime/body.ts";
import { parseHeaderProperty, readHeaderProperty } from "../../mime/headers.ts";
import type { Part } from "../../mime/structure.ts";
import { type Octets, weigh } from "../octets.ts";
import type { JmapObject } from "../standard/type.ts";
import { headerFields, type MessageContent } from "./content.ts";
import { type BodyArgs, bodyPart, bodyValues, type NamedHeader, type PartWant, partWant } from "./parts.ts";

const ofBody = new Set(["bodyStructure", "textBody", "htmlBody", "attachments", "bodyValues"]);

/** What Email/get or Email/parse needs to read of a message. */
export interface ContentPlan {
  /** Properties that are stored beside the message: addresses, subject, keywords. */
  plain: string[];
  /** Those asked for of bodyStructure, textBody, htmlBody, attachments and bodyValues. */
  body: string[];
  headers: NamedHeader[];
  /** Whether the property `headers` is asked for. */
  allHeaders: boolean;
  parts: PartWant;
  args: BodyArgs;
  /** Whether the part tree and the bytes are needed. */
  needsContent: boolean;
  /** Whether the message's own header block is needed. */
  needsHeader: boolean;
}

/** Throws invalidArguments for body properties that do not exist. */
export function planContent(properties: Iterable<string>, args: BodyArgs): ContentPlan {
  const plain: string[] = [];
  const body: string[] = [];
  const headers: NamedHeader[] = [];
  let allHeaders = false;
  for (const name of properties) {
    const header = parseHeaderProperty(name);
    if (header !== undefined && header !== "forbidden") headers.push({ property: name, header });
    else if (name === "headers") allHeaders = true;
    else if (ofBody.has(name)) body.push(name);
    else if (name !== "id") plain.push(name);
  }
  const parts = partWant(args.bodyProperties);
  const values = args.fetchTextBodyValues || args.fetchHTMLBodyValues || args.fetchAllBodyValues;
  const needsFields = headers.length > 0 || allHeaders;
  const showsParts = body.some((name) => name !== "bodyValues");
  return {
    plain,
    body,
    headers,
    allHeaders,
    parts,
    args: values ? args : {},
    needsContent: body.length > 0 || needsFields,
    needsHeader: needsFields || (showsParts && parts.needsHeader),
  };
}

/** Adds the properties of the plan that come from the header and the body. */
export async function showContent(
  shown: JmapObject,
  content: MessageContent,
  plan: ContentPlan,
  octets: Octets,
): Promise<void> {
  if (plan.allHeaders || plan.headers.length > 0) {
    const fields = await headerFields(content, content.structure);
    if (plan.allHeaders) shown.headers = fields;
    if (plan.allHeaders) octets.take(weigh(fields));
    for (const { property, header } of plan.headers) {
      shown[property] = readHeaderProperty(fields, header);
      octets.take(weigh(shown[property]));
    }
  }
  const { body, parts } = plan;
  const showing = { want: parts, content, octets, leaves: new Map<Part, JmapObject>() };
  if (body.includes("bodyStructure")) shown.bodyStructure = await bodyPart(content.structure, showing, true);
  const lists = body.some(isListed) ? bodyParts(content.structure) : undefined;
  for (const name of body) {
    if (!lists || !isListed(name)) continue;
    const list: JmapObject[] = [];
    for (const part of lists[name]) list.push(await bodyPart(part, showing, false));
    shown[name] = list;
  }
  if (body.includes("bodyValues")) shown.bodyValues = await bodyValues(content, plan.args, octets);
}

const listed = { textBody: true, htmlBody: true, attachments: true };
const isListed = (name: string): name is keyof typeof listed => Object.hasOwn(listed, name);
