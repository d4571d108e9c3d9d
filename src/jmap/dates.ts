/** RFC 8620 §1.4: no fraction that is all zeros. */
export function utcDateText(at: Date): string {
  const text = at.toISOString();
  return text.endsWith(".000Z") ? `${text.slice(0, -5)}Z` : text.replace(/0+Z$/, "Z");
}

/** A leap second (RFC 3339 §5.6) counts as the second after it; Date knows none. */
export function instant(utcDate: string): Date {
  const leap = /:60(\.\d+)?Z$/.test(utcDate);
  return new Date(Date.parse(leap ? utcDate.replace(":60", ":59") : utcDate) + (leap ? 1000 : 0));
}
