export interface SnippetPart {
  text: string;
  isHit: boolean;
}

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", "#39": "'", "#x27": "'" };

/**
 * RFC 8621 §5: a snippet is text, escaped, with hits in `<mark>`. It is taken apart as text and shown as text: whatever else it says
 * is what the mail says.
 */
export function readSnippet(snippet: string): SnippetPart[] {
  const parts: SnippetPart[] = [];
  let isHit = false;
  for (const piece of snippet.split(/(<\/?mark>)/)) {
    if (piece === "<mark>" || piece === "</mark>") isHit = piece === "<mark>";
    else if (piece !== "")
      parts.push({ isHit, text: piece.replace(/&(#?\w+);/g, (whole, name: string) => entities[name] ?? whole) });
  }
  return parts;
}
