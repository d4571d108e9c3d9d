/** More marks than any written character has. Sorting marks takes time quadratic in their number. */
const maxMarks = 100;
const tooMany = new RegExp(`[\\p{M}\\uff9e\\uff9f]{${maxMarks}}`, "gu");

/** Normalizes in linear time: U+034F is inserted after every 100 marks in a row, and marks are not sorted across it. */
export function normalized(text: string, form: "NFC" | "NFD" | "NFKC" | "NFKD"): string {
  const parted = text.length > maxMarks ? text.replace(tooMany, "$&\u034f") : text;
  return parted.normalize(form);
}
