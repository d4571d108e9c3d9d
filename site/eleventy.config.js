import { readFileSync } from "node:fs";
import { dirname, posix } from "node:path";
import anchor from "markdown-it-anchor";
import { pageLinks, slug } from "./links.js";
import { menu, placeOf, sources } from "./pages.js";

/** The documentation as pages: `npm run site` writes them to site/dist. The texts stay where they are read with the code. */
export default function configure(eleventy) {
  eleventy.setQuietMode(true);
  eleventy.amendLibrary("md", (markdown) => {
    markdown.use(anchor, { slugify: slug }).use(pageLinks);
  });
  for (const source of sources) {
    const place = placeOf(source);
    const text = readFileSync(source, "utf8");
    eleventy.addTemplate(`${place.replace(/\.html$/, "")}.md`, text, {
      layout: "page.njk",
      permalink: place,
      // The texts are no templates.
      templateEngineOverride: "md",
      source,
      title: /^# (.+)$/m.exec(text)?.[1] ?? "Posthorn",
      home: posix.relative(dirname(place), "index.html"),
      menu: menu.map(([heading, pages]) => ({
        heading,
        pages: pages.map(([of, title]) => ({
          title,
          href: posix.relative(dirname(place), placeOf(of)),
          isHere: of === source,
        })),
      })),
    });
  }
  eleventy.addPassthroughCopy({ "site/site.css": "site.css", "web/inbox/icon.svg": "icon.svg" });
  eleventy.addPassthroughCopy({
    "docs/scaling/week.svg": "docs/scaling/week.svg",
    "docs/conformance/report.html": "docs/conformance/report.html",
  });
  return {
    dir: { input: "site", includes: ".", output: "site/dist" },
    templateFormats: ["md"],
    markdownTemplateEngine: false,
  };
}
