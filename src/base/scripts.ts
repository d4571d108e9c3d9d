const names =
  "Han Hiragana Katakana Hangul Bopomofo Yi Tangut Nushu Tibetan Thai Lao Khmer Myanmar Tai_Le New_Tai_Lue Tai_Tham Tai_Viet Javanese Balinese";

/**
 * Scripts written without spaces or, like Korean and Tibetan, with endings that nothing separates from the word. To be put
 * in a character class of a pattern.
 */
export const unspacedScripts = names.replace(/\w+ ?/g, (name) => `\\p{Script=${name.trim()}}`);
