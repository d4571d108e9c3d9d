const leader = /^(?:\[[^[\]]*\]\s*)*(?:re|fwd?)\s*(?:\[[^[\]]*\]\s*)?:\s*/i;
const blob = /^\[[^[\]]*\]\s*/;
const trailer = /(?:\(fwd\)|\s)$/i;
const forwarded = /^\[fwd:(.*)\]$/is;

function stripTrailers(subject: string): string {
  let text = subject;
  while (trailer.test(text)) text = text.slice(0, text.endsWith(")") ? -5 : -1);
  return text;
}

function stripLeaders(subject: string): string {
  let text = subject.trimStart();
  for (;;) {
    const stripped = text.replace(leader, "");
    const rest = stripped.replace(blob, "");
    const next = rest === "" ? stripped : rest;
    if (next === text) return text;
    text = next;
  }
}

/** RFC 5256 §2.1: the base subject, by which emails are sorted. Uses only the start of an extremely long subject. */
export function baseSubject(subject: string): string {
  let text = subject.slice(0, 2000).replace(/\s+/g, " ").trim();
  for (;;) {
    text = stripLeaders(stripTrailers(text));
    const inner = forwarded.exec(text);
    if (inner === null) return text;
    text = inner[1]!.trim();
  }
}
