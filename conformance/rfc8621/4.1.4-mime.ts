import { defineTests, type Level } from "../runner/define.ts";
import { equal, same } from "../runner/expect.ts";
import { partLeaves } from "./mime.ts";
import { imported, mailGroup, message, type Part, table } from "./support.ts";

/** Messages as RFC 2046 allows them, and some that it does not. */
type Row = {
  id: string;
  level?: Level;
  says: string;
  lines: readonly string[];
  expected: readonly [type: string, value: string][];
};

const structure = "bodyStructure: This is the full MIME structure of the message body.";
const effort = "Decoding is best effort. (A broken structure still shows its text.)";
const top = ["From: ann@example.com", "Subject: MIME", "MIME-Version: 1.0"];
const plain = "text/plain";

const rows: Row[] = [
  {
    id: "preamble-and-epilogue",
    says: `${structure} (What stands before the first and after the last boundary is no part.)`,
    lines: [
      "Content-Type: multipart/mixed; boundary=b",
      "",
      "preamble",
      "--b",
      "",
      "one",
      "--b--",
      "epilogue",
      "--b",
      "",
      "no part",
    ],
    expected: [[plain, "one"]],
  },
  {
    id: "boundary-white-space",
    says: `${structure} (White space may follow a boundary.)`,
    lines: ["Content-Type: multipart/mixed; boundary=b", "", "--b \t", "", "one", "--b  ", "", "two", "--b-- "],
    expected: [
      [plain, "one"],
      [plain, "two"],
    ],
  },
  {
    id: "boundary-quoted",
    says: `${structure} (A boundary may be quoted and hold spaces.)`,
    lines: ['Content-Type: multipart/mixed; boundary="a b=_(c)"', "", "--a b=_(c)", "", "one", "--a b=_(c)--"],
    expected: [[plain, "one"]],
  },
  {
    id: "boundary-prefix",
    says: `${structure} (A line that only begins like a boundary is text.)`,
    lines: ["Content-Type: multipart/mixed; boundary=b", "", "--b", "", "one", "--", "---b", "--b--"],
    expected: [[plain, "one\n--\n---b"]],
  },
  {
    id: "boundary-nested-longer",
    says: `${structure} (An inner boundary may begin like the outer one.)`,
    lines: [
      "Content-Type: multipart/mixed; boundary=b",
      "",
      "--b",
      "Content-Type: multipart/mixed; boundary=b1",
      "",
      "--b1",
      "",
      "one",
      "--b1",
      "",
      "two",
      "--b1--",
      "--b",
      "",
      "three",
      "--b--",
    ],
    expected: [
      [plain, "one"],
      [plain, "two"],
      [plain, "three"],
    ],
  },
  {
    id: "empty-part",
    says: `${structure} (A part may be empty.)`,
    lines: [
      "Content-Type: multipart/mixed; boundary=b",
      "",
      "--b",
      "Content-Type: text/html",
      "",
      "",
      "--b",
      "",
      "two",
      "--b--",
    ],
    expected: [
      ["text/html", ""],
      [plain, "two"],
    ],
  },
  {
    id: "case",
    says: `${structure} (Types, parameters and encodings are case insensitive.)`,
    lines: [
      "CONTENT-TYPE: Multipart/MIXED; BOUNDARY=b",
      "",
      "--b",
      "content-type: TEXT/Plain; CHARSET=UTF-8",
      "content-transfer-encoding: Quoted-Printable",
      "",
      "caf=c3=a9",
      "--b--",
    ],
    expected: [[plain, "café"]],
  },
  {
    id: "folded-parameters",
    says: `${structure} (Parameters may stand on lines of their own.)`,
    lines: [
      "Content-Type: multipart/mixed;\r\n\tcharset=utf-8;\r\n boundary=b",
      "",
      "--b",
      "Content-Type: text/plain;\r\n charset=utf-8;\r\n format=flowed",
      "",
      "one",
      "--b--",
    ],
    expected: [[plain, "one"]],
  },
  {
    id: "no-last-boundary",
    level: "SHOULD",
    says: effort,
    lines: ["Content-Type: multipart/mixed; boundary=b", "", "--b", "", "one", "--b", "", "two"],
    expected: [
      [plain, "one"],
      [plain, "two"],
    ],
  },
  {
    id: "inner-without-last-boundary",
    level: "SHOULD",
    says: effort,
    lines: [
      "Content-Type: multipart/mixed; boundary=out",
      "",
      "--out",
      "Content-Type: multipart/mixed; boundary=in",
      "",
      "--in",
      "",
      "one",
      "--out",
      "",
      "two",
      "--out--",
    ],
    expected: [
      [plain, "one"],
      [plain, "two"],
    ],
  },
  {
    id: "broken-type",
    level: "SHOULD",
    says: effort,
    lines: ["Content-Type: text", "", "one"],
    expected: [[plain, "one"]],
  },
];

const args = { fetchAllBodyValues: true, bodyProperties: ["partId", "blobId", "type", "size", "subParts"] };

async function download(t: Parameters<typeof imported>[0], part: Part | undefined): Promise<string> {
  return (await t.client.download(part?.blobId as string)).body.toString();
}

export const mimeStructure = defineTests(mailGroup("4.1.4", "Body parts: MIME"), [
  ...table<Row>(rows, ({ id, level = "MUST", says, lines, expected }) => ({
    id: `mime-${id}`,
    level,
    says,
    run: async (t) => {
      const email = await imported(t, message(...top, ...lines), ["bodyStructure", "bodyValues"], args);
      const found = partLeaves(email.bodyStructure).map(({ partId, type }) => [
        type.toLowerCase(),
        email.bodyValues[partId ?? ""]?.value.replace(/\n$/, ""),
      ]);
      same(found, expected, "types and values of the parts");
    },
  })),
  {
    id: "mime-line-end-before-boundary",
    level: "MUST",
    says: "size: The size, in octets, of the raw data after content transfer decoding. (The line end before a boundary belongs to the boundary.)",
    run: async (t) => {
      const lines = [
        "Content-Type: multipart/mixed; boundary=b",
        "",
        "--b",
        "",
        "hello",
        "--b",
        "",
        "hello",
        "",
        "--b--",
      ];
      const { bodyStructure } = await imported(t, message(...top, ...lines), ["bodyStructure"], args);
      same(
        bodyStructure.subParts?.map(({ size }) => size),
        [5, 7],
        "sizes",
      );
      equal(await download(t, bodyStructure.subParts?.[0]), "hello", "octets of the first part");
      equal(await download(t, bodyStructure.subParts?.[1]), "hello\r\n", "octets of the second part");
    },
  },
  {
    id: "mime-no-structure-without-multipart",
    level: "MUST",
    says: "blobId: The id representing the raw octets of the contents of the part, after decoding any known Content-Transfer-Encoding.",
    run: async (t) => {
      const lines = [
        "Content-Type: application/octet-stream",
        "Content-Transfer-Encoding: base64",
        "",
        "aGVs",
        "bG8=",
        "",
      ];
      const { bodyStructure } = await imported(t, message(...top, ...lines), ["bodyStructure"], args);
      equal(await download(t, bodyStructure), "hello", "octets of the part");
      equal(bodyStructure.size, 5, "size");
    },
  },
  {
    id: "mime-deep",
    level: "SHOULD",
    says: effort,
    run: async (t) => {
      const depth = 60;
      const open = Array.from({ length: depth }, (_, at) => [
        `Content-Type: multipart/mixed; boundary=b${at}x`,
        "",
        `--b${at}x`,
      ]);
      const close = Array.from({ length: depth }, (_, at) => `--b${depth - 1 - at}x--`);
      const raw = message(...top, ...open.flat(), "Content-Type: text/plain", "", "deep", ...close);
      const email = await imported(t, raw, ["bodyStructure", "subject"], args);
      equal(email.subject, "MIME", "subject");
      equal(email.bodyStructure.type, "multipart/mixed", "type");
    },
  },
]);
