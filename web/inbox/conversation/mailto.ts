/** What a mailto URL (RFC 6068) asks to be written. Attachments and other fields that it may name are nobody's business. */
export interface Mailto {
  to: string[];
  subject: string;
  body: string;
}

const maxTo = 50;
const maxTextLength = 10_000;

/** Undefined for what is no mailto URL. */
export function readMailto(url: string): Mailto | undefined {
  const match = /^mailto:([^?#]*)(?:\?([^#]*))?/i.exec(url.trim());
  if (!match) return undefined;
  const fields = (match[2] ?? "").split("&").map((pair) => {
    const at = pair.indexOf("=");
    return [decoded(pair.slice(0, at)).toLowerCase(), decoded(pair.slice(at + 1))] as const;
  });
  const text = (name: string) => fields.find(([field]) => field === name)?.[1].slice(0, maxTextLength) ?? "";
  const named = [match[1]!, ...fields.filter(([name]) => name === "to").map(([, value]) => value)];
  const to = named.flatMap((list) => list.split(",")).map((one) => decoded(one).trim());
  return {
    to: to.filter((one) => /^[^\s@,;<>"]+@[^\s@,;<>"]+$/.test(one)).slice(0, maxTo),
    subject: text("subject").replace(/[\r\n\0]+/g, " "),
    body: text("body").replace(/\r\n?/g, "\n"),
  };
}

/** A plus is a plus here (RFC 6068 §5). */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
