/** `*` matches anything, all else itself. */
export function pattern(text: string): string {
  return text
    .split("*")
    .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"))
    .join(".*");
}
