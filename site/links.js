import { existsSync } from "node:fs";
import { dirname, posix } from "node:path";
import { placeOf, sources } from "./pages.js";

/** GitHub's rule, by which the links of these texts are written. */
export const slug = (heading) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
    .replaceAll(" ", "-");

/**
 * For markdown-it: a link to the source of a page leads to that page, relative to the page that it is on, so that the site
 * may lie anywhere. A file that is no page is in the sources alone and is no link. Throws for a file that is not there.
 */
export function pageLinks(markdown) {
  markdown.core.ruler.push("page_links", ({ tokens, env }) => {
    const { source } = env;
    for (const { children } of tokens) {
      let isDropped = false;
      for (const token of children ?? []) {
        if (token.type === "link_open") {
          const href = hrefOf(source, token.attrGet("href"));
          isDropped = href === undefined;
          if (!isDropped) token.attrSet("href", href);
        }
        if (isDropped && /^link_/.test(token.type)) token.hidden = true;
        if (isDropped && token.type === "link_open") Object.assign(token, { type: "text", tag: "", content: "" });
        if (isDropped && token.type === "link_close") {
          Object.assign(token, { type: "text", tag: "", content: "" });
          isDropped = false;
        }
      }
    }
  });
}

function hrefOf(source, href) {
  if (/^[a-z]+:/.test(href) || href.startsWith("#")) return href;
  const [path, anchor] = decodeURI(href).split("#");
  const target = posix.join(dirname(source), path).replace(/\/$/, "");
  const page = sources.find((one) => one === target || one === `${target}/README.md`);
  if (!page && !existsSync(target)) throw new Error(`${source}: there is no ${target}`);
  if (!page) return undefined;
  const relative = posix.relative(dirname(placeOf(source)), placeOf(page));
  return anchor === undefined ? relative : `${relative}#${anchor}`;
}
