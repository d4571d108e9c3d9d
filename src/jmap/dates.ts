/** RFC 8620 §1.4: leaves out a fraction that is zero. */
export function utcDateText(at: Date): string {
  const text = at.toISOString();
  return text.endsWith(".000Z") ? `${text.slice(0, -5)}Z` : text.replace(/0+Z$/, "Z");
}
