import { decodeId, encodeId } from "../../base/ids.ts";
import type { DataType } from "./type.ts";

/** What a type's ids are made of; the one object of a singleton type is number 0. */
type Identified = Pick<DataType, "prefix" | "singleton">;

export function toWire(type: Identified, id: number): string {
  return type.singleton ?? encodeId(type.prefix, id);
}

/** Undefined for what is no id of this type, so nothing is found. */
export function fromWire(type: Identified, text: string): number | undefined {
  if (type.singleton !== undefined) return text === type.singleton ? 0 : undefined;
  return decodeId(type.prefix, text);
}

/** "#creationId" → the id of the record made; undefined when there is none. Other texts stay as they are. */
export function dereference(text: string, createdId: (creationId: string) => string | undefined): string | undefined {
  return text.startsWith("#") ? createdId(text.slice(1)) : text;
}
