import { readSnippet } from "./snippet.ts";

/** Text with hits, as the server marks them; else the plain text. */
export function Marked({ snippet, text }: { snippet: string | null | undefined; text: string }) {
  if (!snippet) return <>{text}</>;
  return (
    <>{readSnippet(snippet).map((part, index) => (part.isHit ? <mark key={index}>{part.text}</mark> : part.text))}</>
  );
}
