/** Words of "see attachment" in the languages of the pages. A text that has one probably wants a file. */
const words =
  /\b(attach(?:ed|ing|ment|ments)?|enclosed|anhang|anhänge|angehängt|angehängte[nrms]?|hängt an|beigefügt|beigefügte[nrms]?|anbei|beiliegend)(?![\p{L}\p{N}])/iu;

/** The word in what was written, without what is quoted, that promises a file; undefined if none does. */
export function promisedFile(subject: string, text: string): string | undefined {
  const own = text
    .split("\n")
    .filter((line) => !line.startsWith(">"))
    .join("\n");
  // An answer's subject was written by somebody else.
  const isOwnSubject = !/^\s*(re|aw|fwd?|wg):/i.test(subject);
  return (isOwnSubject ? words.exec(subject)?.[1] : undefined) ?? words.exec(own)?.[1];
}
