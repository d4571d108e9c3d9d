import type { Reader } from "../core/store.ts";
import type { EmailFilter } from "./criteria.ts";
import { resolveHeaders } from "./header-filter.ts";
import { resolveLongMails } from "./long-mails.ts";
import { type Node, normalise } from "./normal.ts";

/** A filter in its normal form, with the answers to what takes looks of its own. */
export async function resolve(reader: Reader, filter: EmailFilter | undefined): Promise<Node> {
  return resolveHeaders(reader, await resolveLongMails(reader, normalise(filter)));
}
