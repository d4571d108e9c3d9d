import { Slots } from "../../base/slots.ts";
import { decodeBody, maxInline } from "../../mail/deliver/preparer.ts";
import { type BodyValue, bodyHead, bodyValueOfHead } from "../../mime/decode.ts";
import type { Part } from "../../mime/structure.ts";
import type { MessageContent } from "./content.ts";

/** Decoding takes several times a body's size in memory, so large bodies are decoded one at a time for all clients. */
const oneByOne = new Slots(1);

/** RFC 8621 §4.1.4: a text part's value, at most `maxBytes` of it (0: no limit); reads no more of the part than needed. */
export async function bodyValue(content: MessageContent, part: Part, maxBytes: number): Promise<BodyValue> {
  const { start, end } = part.body;
  const head = bodyHead(maxBytes);
  if (maxBytes > 0 && head <= maxInline && head < end - start) {
    const value = bodyValueOfHead(await content.bytes({ start, end: start + head }), part, maxBytes);
    if (value) return value;
  }
  const whole = async () => decodeBody(await content.bytes(part.body), part, maxBytes);
  return end - start <= maxInline ? whole() : oneByOne.run(whole);
}
