import { Slots } from "../../base/slots.ts";
import { decodeBody, maxInline } from "../../mail/deliver/preparer.ts";
import { type BodyValue, bodyHead, bodyValueOfHead } from "../../mime/decode.ts";
import type { Part } from "../../mime/structure.ts";
import type { MessageContent } from "./content.ts";

/** Large bodies are read and decoded one at a time, whoever asks: each takes some times its size in memory. */
const oneByOne = new Slots(1);

/** RFC 8621 §4.1.4: of a text part; at most `maxBytes` of it (0: no limit), read from no more than it takes. */
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
