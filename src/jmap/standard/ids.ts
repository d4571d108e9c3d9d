import { decodeId, encodeId } from "../../base/ids.ts";
import type { DataType } from "./type.ts";

/** What a type's ids are made of. The object of a singleton type has number 0. */
type Identified = Pick<DataType, "prefix" | "singleton">;

export function toWire(type: Identified, id: number): string {
  return type.singleton ?? encodeId(type.prefix, id);
}

/** Undefined for text that is not an id of this type. */
export function fromWire(type: Identified, text: string): number | undefined {
  if (type.singleton !== undefined) return text === type.singleton ? 0 : undefined;
  return decodeId(type.prefix, text);
}

/** Resolves "#creationId" to the id created, or to undefined; returns any other text unchanged. */
export function dereference(text: string, createdId: (creationId: string) => string | undefined): string | undefined {
  return text.startsWith("#") ? createdId(text.slice(1)) : text;
}
