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

const of = (...lines: string[]) => {
  const bytes = Buffer.from(lines.join("\r\n"));
  return searchText(bytes, walk(bytes));
};
const inner = ["From: =?utf-8?Q?J=C3=B6rg?= <joerg@inner.example>", "To: x@y", "Subject: inner", "X-Other: z", ""];

test.each([
  ["alone", ["Content-Type: message/rfc822", "", ...inner, "attached"]],
  ["as message/global", ["Content-Type: message/global", "", ...inner, "attached"]],
  ["in multipart/mixed", ["Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: message/rfc822", ""]],
  ["in a digest", ["Content-Type: multipart/digest; boundary=b", "", "--b", ""]],
  [
    "encoded",
    [
      "Content-Type: message/rfc822",
      "Content-Transfer-Encoding: base64",
      "",
      Buffer.from([...inner, "attached"].join("\r\n")).toString("base64"),
    ],
  ],
])("an attached message %s is searched, its header fields too", (_, lines) => {
  const isWhole = lines.includes("attached") || lines.includes("Content-Transfer-Encoding: base64");
  const { texts } = of(...lines, ...(isWhole ? [] : [...inner, "attached", "--b--"]));
  expect(texts).toEqual(["Jörg <joerg@inner.example>\nx@y\ninner", expect.stringMatching(/^attached/)]);
});

test("messages attached to one another are searched down to a depth, and then read as text", () => {
  const nested = (depth: number): string[] =>
    depth === 0
      ? ["Content-Type: text/plain", "", "deep down"]
      : [`Subject: level${depth}`, "Content-Type: message/rfc822", "", ...nested(depth - 1)];
  expect(of(...nested(8)).texts).toEqual([..."7654321"].map((depth) => `level${depth}`).concat("deep down"));
  expect(of(...nested(40)).texts.join("\n")).toMatch(/level39.*level1.*deep down/s);
});

test("reports, calendars, cards and attached texts are searched, whatever else is not", () => {
  const parts: [string, string][] = [
    ["message/delivery-status", "Final-Recipient: rfc822; lost@peer.example\r\nStatus: 5.1.1"],
    ["message/disposition-notification", "Disposition: manual-action; displayed"],
    ["text/rfc822-headers", "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?="],
    ["text/calendar", "SUMMARY:Board meet\r\n ing\\, room 5\\nbring cake"],
    ["text/vcard", "FN:Ann\r\n  Lee"],
    ["text/csv; name=a.csv", "id,amount\r\n7,99"],
    ["text/x-log; charset=koi8-r", "\xf0\xd2\xc9\xd7\xc5\xd4"],
    ["text/html", "<p>markup <b>gone</b></p>"],
    ["application/octet-stream", "binary"],
    ["application/pdf", "%PDF"],
    ["image/svg+xml", "<svg>drawn</svg>"],
  ];
  const lines = parts.flatMap(([type, text]) => [
    "--b",
    `Content-Type: ${type}`,
    "Content-Disposition: attachment",
    "",
    text,
  ]);
  const bytes = Buffer.from(
    ["Content-Type: multipart/report; boundary=b", "", ...lines, "--b--"].join("\r\n"),
    "latin1",
  );
  expect(searchText(bytes, walk(bytes))).toEqual({
    texts: [
      "Final-Recipient: rfc822; lost@peer.example\nStatus: 5.1.1",
      "Disposition: manual-action; displayed",
      "Grüße",
      "SUMMARY:Board meeting, room 5\nbring cake",
      "FN:Ann Lee",
      "id,amount\n7,99",
      "Привет",
      "markup gone",
    ],
    attachmentNames: ["a.csv"],
  });
});

test("what attributes show is searched, however long the others are", () => {
  const image = `<img src='data:image/png;base64,${"A".repeat(50_000)}' data-alt="hidden" alt="A &amp; B" title=logo>`;
  const { texts } = of("Content-Type: text/html", "", `<p>x ${image} y <a title="it's here" href=z>link</a></p>`);
  expect(texts).toEqual(["x   y link\n\nA & B logo\nit's here"]);
});
