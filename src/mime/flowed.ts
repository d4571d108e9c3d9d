import { type Parameterised, parameter } from "./params.ts";

/** RFC 3676 §4: whether a paragraph's lines end in a blank that is no part of it. */
export function isDelSp(contentType: Parameterised): boolean {
  const has = (name: string, value: string) => parameter(contentType, name)?.trim().toLowerCase() === value;
  return contentType.value === "text/plain" && has("format", "flowed") && has("delsp", "yes");
}

const line = /^(>*) ?(.*)$/s;
/** §4.3: it ends in a blank, but nothing follows it. */
const signature = "-- ";

/** RFC 3676 §4.2: each paragraph on one line, for text where `isDelSp`; a word that the sender's program cut is whole again. */
export function joinFlowed(text: string): string {
  const joined: string[] = [];
  /** How deep the paragraph is quoted that the last line did not end. */
  let open: number | undefined;
  for (const raw of text.split("\n")) {
    const [, quotes, content] = line.exec(raw)!;
    const isFixed = content === signature || !content!.endsWith(" ");
    const piece = isFixed ? content! : content!.slice(0, -1);
    if (open === quotes!.length && content !== signature) joined[joined.length - 1] += piece;
    else joined.push(quotes === "" ? piece : `${quotes} ${piece}`);
    open = isFixed ? undefined : quotes!.length;
  }
  return joined.join("\n");
}
