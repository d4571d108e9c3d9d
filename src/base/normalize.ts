/** More marks on one character than anything written has: to put them in order takes time by the square of their number. */
const mostMarks = 100;
const tooMany = new RegExp(`[\\p{M}\\uff9e\\uff9f]{${mostMarks}}`, "gu");

/** A Unicode normalization form, in time that is linear: of very many marks in a row, those behind a joiner keep their order. */
export function normalized(text: string, form: "NFC" | "NFD" | "NFKC" | "NFKD"): string {
  const parted = text.length > mostMarks ? text.replace(tooMany, "$&\u034f") : text;
  return parted.normalize(form);
}
