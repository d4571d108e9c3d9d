/**
 * What of a mail's inline styles may stay. The browser has parsed them, so escapes and comments are gone; each
 * declaration is kept only if its property is known to be harmless and its value loads nothing.
 */
const properties = new RegExp(
  `^(?:${[
    "(?:-webkit-)?(?:text|font|line|letter|word|white|overflow|border|margin|padding|outline|align|justify|place)(?:-[a-z-]+)?",
    "background(?:-(?:color|image|repeat|size|position|position-x|position-y|origin|clip))?",
    "(?:min-|max-)?(?:width|height|inline-size|block-size)",
    "list-style(?:-type|-position)?",
    "color|direction|unicode-bidi|writing-mode|display|visibility|opacity|float|clear|vertical-align|hyphens|tab-size",
    "table-layout|empty-cells|caption-side|box-sizing|box-shadow|object-fit|quotes|orphans|widows|break-(?:inside|before|after)",
    "flex(?:-[a-z]+)?|order|gap|row-gap|column-gap|columns|column-(?:count|width|rule[a-z-]*)|grid(?:-[a-z-]+)?",
  ].join("|")})$`,
);

const functions =
  /^(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color|color-mix|light-dark|calc|min|max|clamp|minmax|repeat|fit-content|(?:repeating-)?(?:linear|radial|conic)-gradient)$/;

/** Lengths of the window: the frame is as high as its content, so these would make it grow without end. */
const ofWindow = /\d(?:[dsl]?v(?:h|w|i|b|min|max))\b/;

/** The text of a style attribute with what is harmless of these declarations; "" when nothing is. */
export function cleanStyle(style: CSSStyleDeclaration): string {
  const kept: string[] = [];
  for (let index = 0; index < style.length; index++) {
    const name = style.item(index);
    const value = style.getPropertyValue(name);
    if (!properties.test(name) || !isHarmless(value)) continue;
    kept.push(`${name}: ${value}${style.getPropertyPriority(name) === "important" ? " !important" : ""}`);
  }
  return kept.join("; ");
}

function isHarmless(value: string): boolean {
  // A value with var() is kept as it was written, escapes included.
  if (value === "" || /[\\@<>{}]/.test(value) || ofWindow.test(value)) return false;
  for (const [, name] of value.matchAll(/([\w-]*)\(/g)) {
    if (!functions.test(name!.toLowerCase())) return false;
  }
  return true;
}
