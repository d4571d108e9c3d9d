import { expect, test } from "vitest";
import { searchText } from "./search-text.ts";
import { walk } from "./walk.ts";

test("searchText has all text and the names of files", () => {
  const bytes = Buffer.from(
    [
      ...[
        "Content-Type: multipart/mixed; boundary=b",
        "",
        "--b",
        "",
        "plain\0",
        "--b",
        "Content-Type: text/html",
        "",
        "<b>bold</b>",
      ],
      ...["--b", "Content-Type: application/pdf; name=a.pdf", "", "%PDF", "--b--"],
    ].join("\r\n"),
  );
  expect(searchText(bytes, walk(bytes))).toEqual({ texts: ["plain", "bold"], attachmentNames: ["a.pdf"] });
});
