import { normalized } from "../base/normalize.ts";
import { unfold } from "./field.ts";
import { eachToken, type Token } from "./tokens.ts";
import { decodeWords } from "./words.ts";

/** RFC 8621 §4.1.2.3 */
export interface EmailAddress {
  name: string | null;
  email: string;
}

/** RFC 8621 §4.1.2.4 */
export interface EmailAddressGroup {
  name: string | null;
  addresses: EmailAddress[];
}

/** RFC 5322 §3.2.5: a display name. Encoded words are read in atoms and comments only, never in quoted strings. */
function phrase(tokens: Token[]): string | null {
  let out = "";
  let atoms = "";
  for (const token of tokens) {
    const gap = token.space ? " " : "";
    if (token.kind === "quoted") {
      out += decodeWords(atoms) + gap + token.value;
      atoms = "";
    } else {
      atoms += gap + token.value;
    }
  }
  const name = normalized((out + decodeWords(atoms)).trim(), "NFC");
  return name === "" ? null : name;
}

/** RFC 5322 §4.4: the obsolete syntax has white space around the dots and the @. */
function addrSpec(tokens: Token[]): string {
  let out = "";
  let before = ".";
  for (const { raw, space } of tokens) {
    const glued = before.endsWith(".") || before === "@" || raw.startsWith(".") || raw === "@";
    out += space && !glued ? ` ${raw}` : raw;
    before = raw;
  }
  return out;
}

/** An address without angle brackets. Words that are not part of the address become the name. */
function bareAddress(tokens: Token[], comment: string | null): EmailAddress {
  const at = tokens.findLastIndex((token) => token.raw === "@");
  if (at === -1) return { name: comment, email: addrSpec(tokens) };
  let start = at;
  while (
    start > 0 &&
    (!tokens[start]!.space || /^[.@]/.test(tokens[start]!.raw) || tokens[start - 1]!.raw.endsWith("."))
  ) {
    start--;
  }
  let end = at + 1;
  if (end < tokens.length) end++;
  while (
    end < tokens.length &&
    (!tokens[end]!.space || /^\./.test(tokens[end]!.raw) || tokens[end - 1]!.raw.endsWith("."))
  ) {
    end++;
  }
  const rest = [...tokens.slice(0, start), ...tokens.slice(end)];
  return { name: phrase(rest) ?? comment, email: addrSpec(tokens.slice(start, end)) };
}

/** Collects mailboxes and groups from a stream of tokens. */
class AddressList {
  readonly groups: EmailAddressGroup[] = [];
  #open: EmailAddressGroup | null = null;
  #words: Token[] = [];
  /** True when an @ is among the words. */
  #hasAt = false;
  #angle: Token[] | null = null;
  #closed = false;
  /** Words after the angle brackets. If another bracket follows, a comma is missing, and they are the next name. */
  #after: Token[] = [];
  #comment: string | null = null;

  #add(address: EmailAddress): void {
    let group = this.#open ?? this.groups.at(-1);
    if (group === undefined || (this.#open === null && group.name !== null)) {
      group = { name: null, addresses: [] };
      this.groups.push(group);
    }
    group.addresses.push(address);
  }

  flush(): void {
    if (this.#angle !== null) {
      const address = { name: phrase(this.#words) ?? this.#comment, email: addrSpec(this.#angle) };
      if (address.name !== null || address.email !== "") this.#add(address);
    } else if (this.#words.length > 0) {
      this.#add(bareAddress(this.#words, this.#comment));
    }
    this.#setWords([]);
    this.#angle = null;
    this.#closed = false;
    this.#after = [];
    this.#comment = null;
  }

  #startAngle(): void {
    if (this.#closed) {
      const words = this.#after;
      this.flush();
      this.#setWords(words);
    }
    this.#angle ??= [];
  }

  #colon(token: Token): void {
    if (this.#angle !== null) {
      // RFC 5322 §4.4: what came before is a source route.
      if (!this.#closed) this.#angle = [];
    } else if (this.#open === null && this.#words.length > 0 && !this.#hasAt) {
      this.#open = { name: phrase(this.#words) ?? "", addresses: [] };
      this.groups.push(this.#open);
      this.#setWords([]);
    } else {
      this.#words.push(token);
    }
  }

  #word(token: Token): void {
    if (this.#closed) this.#after.push(token);
    else if (this.#angle) this.#angle.push(token);
    else {
      this.#words.push(token);
      this.#hasAt ||= token.raw === "@";
    }
  }

  #setWords(words: Token[]): void {
    this.#words = words;
    this.#hasAt = words.some((word) => word.raw === "@");
  }

  take(token: Token): void {
    if (token.kind === "comment") {
      const hasAddress = this.#angle !== null || this.#words.length > 0;
      if (hasAddress) this.#comment = normalized(decodeWords(token.value).trim(), "NFC") || null;
    } else if (token.kind !== "special") this.#word(token);
    else if (token.raw === "<") this.#startAngle();
    else if (token.raw === ">") this.#closed = this.#angle !== null;
    else if (token.raw === ":") this.#colon(token);
    else if (token.raw === "@") this.#word(token);
    else if (token.raw === "," && this.#angle?.[0]?.raw === "@" && !this.#closed) this.#angle.push(token);
    else {
      this.flush();
      if (token.raw === ";") this.#open = null;
    }
  }
}

/** RFC 8621 §4.1.2.4 */
export function asGroupedAddresses(raw: string): EmailAddressGroup[] {
  const list = new AddressList();
  eachToken(unfold(raw), (token) => list.take(token));
  list.flush();
  return list.groups;
}

/** RFC 8621 §4.1.2.3 */
export function asAddresses(raw: string): EmailAddress[] {
  return asGroupedAddresses(raw).flatMap((group) => group.addresses);
}
