import type { Blobs } from "../../store/blobs/blobs.ts";
import type { Reader, Store } from "../../store/core/store.ts";

/** An object as JMAP shows it. */
export type ShownObject = Record<string, unknown>;

/** What an export reads from. */
export interface Source {
  store: Store;
  blobs: Pick<Blobs, "objects" | "readObject">;
  /** For each type, all objects of an account, page by page (`accountObjects` of src/jmap). */
  objects: Record<string, (reader: Reader) => AsyncIterable<ShownObject[]>>;
}

/** Called often with how far the work is; `messages`, once it comes to these. */
export type Tell = (text: string, messages?: { done: number; total: number }) => void;
