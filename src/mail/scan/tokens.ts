import { splitAddress } from "../../base/address.ts";
import type { HeaderField } from "../../mime/field.ts";
import type { MessageSummary } from "../../mime/summary.ts";
import { words } from "../../search/words.ts";
import { habitsOf } from "./habits.ts";
import type { Visible } from "./visible.ts";

/** More would not change the verdict; learning stores a row for each. */
const maxTokens = 600;
const maxWords = 2_000;
/** Of the text: what comes after says little that is new. */
const maxLength = 24_000;
const maxName = 200;
const maxSubject = 1_000;
const minWord = 3;
const maxWord = 24;

/** The distinct words and properties of a message that statistics are kept of, hashed: the words can't be read from them. */
export function tokensOf(summary: MessageSummary, fields: readonly HeaderField[], { text, links }: Visible): number[] {
  const found = new Set<number>();
  const add = (kind: string, value: string) => {
    if (found.size < maxTokens) found.add(hashed(kind + value));
  };
  for (const { name, email } of summary.from ?? []) {
    const parts = splitAddress(email);
    if (parts !== undefined) {
      add("f:", parts.domain);
      add("fs:", shapeOf(parts.local));
    }
    add("f:", email.toLowerCase());
    for (const word of words((name ?? "").slice(0, maxName))) add("n:", word);
    if (!name) add("n:", "none");
  }
  for (const habit of habitsOf(summary, fields)) add("h:", habit);
  for (const word of words((summary.subject ?? "").slice(0, maxSubject)).filter(isKept)) {
    add("s:", word);
    add("w:", word);
  }
  for (const host of new Set(links.map(({ host }) => host))) {
    add("u:", host);
    add("u:", host.split(".").slice(-2).join("."));
  }
  for (const { name, value } of fields) {
    const kind = kinds[name.toLowerCase()];
    if (kind !== undefined) for (const word of words(value.slice(0, 100)).slice(0, 6)) add(kind, word);
  }
  let left = maxWords;
  for (const word of words(text.slice(0, maxLength))) {
    if (left-- === 0 || found.size >= maxTokens) break;
    if (isKept(word)) add("w:", word);
  }
  return [...found];
}

/** How a name is written: `ann.lee7` as `a.a9`. */
const shapeOf = (name: string): string =>
  name
    .replace(/[A-Z]+/g, "A")
    .replace(/[a-z]+/g, "a")
    .replace(/\d+/g, "9")
    .slice(0, 24);

/** Fields that say what wrote the message. */
const kinds: Record<string, string> = {
  "content-type": "c:",
  "x-mailer": "m:",
  "user-agent": "m:",
  "x-priority": "p:",
};

const isNarrow = /^[\x00-\u024f]*$/;
const isKept = (word: string) =>
  word.length <= maxWord && (word.length >= minWord || !isNarrow.test(word)) && !/^\d{5,}$/.test(word);

/** FNV-1a, 32 bits with a sign, as an integer column has. Never 0, under which the numbers of mails are kept. */
export function hashed(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  // FNV alone leaves the low bits of short texts alike.
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return hash === 0 ? 1 : hash;
}
