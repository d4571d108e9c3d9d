import { type Parameterised, parameter } from "./params.ts";

/** RFC 3676 §4: true when the blank at the end of a paragraph's line is not part of the text. */
export function isDelSp(contentType: Parameterised): boolean {
  const has = (name: string, value: string) => parameter(contentType, name)?.trim().toLowerCase() === value;
  return contentType.value === "text/plain" && has("format", "flowed") && has("delsp", "yes");
}

const line = /^(>*) ?(.*)$/s;
/** RFC 3676 §4.3: ends in a blank, but does not continue on the next line. */
const signature = "-- ";

/**
 * RFC 3676 §4.2: puts each paragraph on one line, for text with `isDelSp`; joins words that the sender's program cut.
 */
export function joinFlowed(text: string): string {
  const joined: string[] = [];
  /** The quote depth of the paragraph that the last line left open. */
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
