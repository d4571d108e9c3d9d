/** Quoted plain text: each line behind ">". */
export function quoted(text: string): string {
  const lines = text.replace(/\r\n?/g, "\n").trimEnd().split("\n");
  return lines.map((line) => (line.startsWith(">") ? `>${line}` : line === "" ? ">" : `> ${line}`)).join("\n");
}

const blocks = new Set(
  (
    "address article aside blockquote center dd div dl dt figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol pre section " +
    "table tr ul"
  ).split(" "),
);

/** Characters that nobody writes, in the place of what ends a line until spaces are collapsed. */
const line = "\uE000";
const block = "\uE003";
const paragraph = "\uE004";

/** A rich text as plain text: paragraphs, lists, links and quotes stay recognisable. The editor's own marks go. */
export function textOf(root: Node): string {
  // The line before a signature (RFC 3676 §4.3) ends with a space.
  return collapse(write(root).replaceAll("\u200b", "")).replace(/^--$/gm, "-- ");
}

/** Blocks that follow one another are parted by one line end, paragraphs by two, and each `br` is one unless it ends a block. */
function collapse(text: string): string {
  return text
    .replace(/[ \t\n\r]+/g, " ")
    .replace(/ ?[\uE000\uE003\uE004][ \uE000\uE003\uE004]*/g, (run) => {
      const marks = run.replaceAll(" ", "");
      const lines = marks.split(line).length - 1 + (marks.startsWith(line) ? 0 : 1);
      return "\n".repeat(Math.max(lines, marks.includes(paragraph) ? 2 : 1));
    })
    .replaceAll("\u00a0", " ")
    .replace(/^\n+|\s+$/g, "");
}

function write(node: Node): string {
  if (node.nodeType === Node.TEXT_NODE) return node.nodeValue ?? "";
  if (!(node instanceof Element) && node.nodeType !== Node.DOCUMENT_FRAGMENT_NODE) return "";
  const name = node instanceof Element ? node.localName : "";
  if (name === "br") return line;
  if (name === "hr") return `${block}---${block}`;
  if (name === "img") return (node as Element).getAttribute("alt") ?? "";
  if (name === "pre") return `${block}${asLines(node.textContent ?? "")}${block}`;
  const inner = [...node.childNodes].map(write).join("");
  if (name === "blockquote") return `${block}${asLines(quoted(collapse(inner)))}${block}`;
  if (name === "li") return `${block}${markOf(node as Element)} ${asLines(collapse(inner))}${block}`;
  if (name === "td" || name === "th") return `${inner.replace(/[\uE003\uE004]/g, " ")} `;
  if (name === "a") return linkOf(node as Element, inner);
  if (name === "p") return `${paragraph}${inner}${paragraph}`;
  return blocks.has(name) ? `${block}${inner}${block}` : inner;
}

const asLines = (text: string): string => text.trimEnd().replaceAll("\n", line);

function markOf(item: Element): string {
  const list = item.parentElement;
  if (list?.localName !== "ol") return "-";
  const at = [...list.children].filter(({ localName }) => localName === "li").indexOf(item);
  return `${(Number(list.getAttribute("start")) || 1) + at}.`;
}

function linkOf(link: Element, inner: string): string {
  const href = link.getAttribute("href") ?? "";
  const isTold = href === "" || inner.includes(href.replace(/^mailto:|^https?:\/\/|\/$/g, ""));
  return isTold ? inner : `${inner} <${href}>`;
}

/** Plain text as nodes, a line each: `div`s, as the editor has them. */
export function nodesOf(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  for (const content of text.split("\n")) {
    const div = document.createElement("div");
    if (content === "") div.append(document.createElement("br"));
    else div.append(content);
    fragment.append(div);
  }
  return fragment;
}
