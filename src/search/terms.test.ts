import { expect, test } from "vitest";
import { searchTerms } from "./terms.ts";

test("a long text is parted where no word is cut", () => {
  for (let before = 49_990; before <= 50_010; before++) {
    const body = `${"ab ".repeat(20_000).slice(0, before)} Okto\ufeffber ${"cd ".repeat(100)}`;
    expect(searchTerms({ fields: [], body: [body] }).join(""), String(before)).toContain("woktober'");
  }
});
