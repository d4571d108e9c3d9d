import type { HeaderField } from "../../mime/headers.ts";

/** RFC 8058 §3.1: whether a recipient can leave the list with one click, without a page that asks. */
export function hasOneClick(fields: readonly HeaderField[]): boolean {
  const value = (wanted: string) => fields.find(({ name }) => name.toLowerCase() === wanted)?.value ?? "";
  const isOffered = /<\s*https:\/\/[^>\s]+\s*>/i.test(value("list-unsubscribe").replace(/\r?\n[ \t]+/g, ""));
  return isOffered && /^\s*List-Unsubscribe\s*=\s*One-Click\s*$/i.test(value("list-unsubscribe-post"));
}
