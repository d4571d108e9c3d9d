/** Malformed messages, for unit and end-to-end tests. */
export interface NastyMessage {
  name: string;
  bytes: Buffer;
}

const crlf = (...lines: string[]): string => lines.join("\r\n");
const top = [
  "From: Ada <ada@example.com>",
  "To: bob@example.com",
  "Subject: Nasty",
  "Date: Thu, 1 Jan 2026 10:00:00 +0100",
];
const multipart = (boundary: string, subtype = "mixed"): string =>
  `Content-Type: multipart/${subtype}; boundary="${boundary}"`;

const headers: [string, string][] = [
  ["empty", ""],
  ["one byte", "x"],
  ["only line breaks", "\r\n\r\n\r\n"],
  ["no header", "Hello, this is not a header\r\nand this neither\r\n"],
  ["no header, empty line first", "\r\nJust a body\r\n"],
  ["header without body", crlf(...top)],
  ["header ending in a cut line", crlf(...top, "X-Cut")],
  ["mbox line in front", crlf("From ada@example.com Thu Jan  1 10:00:00 2026", ...top, "", "Hello")],
  ["garbage between fields", crlf(...top, "this is no field", "X-After: yes", "", "Hello")],
  ["blanks before the colon", crlf("From : ada@example.com", "Subject\t: Obsolete", "", "Hello")],
  ["continuation first", crlf(" folded from nothing", ...top, "", "Hello")],
  ["line of blanks in the header", crlf("Subject: before", " \t ", "X-After: yes", "", "Hello")],
  ["8-bit header", crlf("Subject: Gr\xfc\xdfe", "From: J\xf6rg <joerg@example.com>", "", "Hello")],
  [
    "UTF-8 header",
    Buffer.from("Subject: Grüße 😀\r\nFrom: Jörg <jörg@exämple.com>\r\n\r\nHello", "utf8").toString("latin1"),
  ],
  ["NUL everywhere", "Sub\0ject: a\0b\r\nX-N\0: \0\0\r\nSubject: real\0ly\r\n\r\nbo\0dy\0"],
  ["bare LF", `${top.join("\n")}\n${multipart("b")}\n\n--b\n\none\n--b\n\ntwo\n--b--\n`],
  ["bare CR", `${top.join("\r")}\r\rHello\rthere`],
  ["mixed line ends", `${top.join("\n")}\r\n${multipart("b")}\n\r\n--b\r\n\nx\r--b\r\n--b--`],
  ["broken encoded words", crlf("Subject: =?utf-8?q?=C3?= =?utf-8?q?=BC=?= =?x?z?y?= =?utf-8?b?4pyT", "", "Hello")],
  ["unclosed quotes and comments", crlf('From: "Ada (x <ada@example.com', "To: (((((", "Cc: <<<>>>,;:@", "", "Hello")],
  ["nonsense dates and ids", crlf("Date: 99 Foo 2026 99:99", "Message-ID: <<>", "References: <a <b> c>", "", "Hello")],
  ["many of one field", `${"Subject: again\r\n".repeat(5000)}\r\nHello`],
];

const bodies: [string, string][] = [
  ["unknown charset", crlf(...top, "Content-Type: text/plain; charset=x-klingon", "", "H\xe9llo")],
  ["wrong charset", crlf(...top, "Content-Type: text/plain; charset=utf-8", "", "H\xe9llo \xff\xfe")],
  ["charset that is an encoding", crlf(...top, "Content-Type: text/plain; charset=base64", "", "Hello")],
  ["unknown transfer encoding", crlf(...top, "Content-Transfer-Encoding: x-uuencode", "", "begin 644 x")],
  ["broken base64", crlf(...top, "Content-Transfer-Encoding: base64", "", "SGVs*bG8\0=", "=trailing")],
  [
    "broken quoted-printable",
    crlf(...top, "Content-Transfer-Encoding: quoted-printable", "", "a=ZZ =\r\nb=   \r\nc  \r\n="),
  ],
  ["broken media type", crlf(...top, "Content-Type: ;;=;text", "", "Hello")],
  ["multipart without boundary", crlf(...top, "Content-Type: multipart/mixed", "", "--b", "", "x", "--b--")],
  ["multipart with empty boundary", crlf(...top, multipart(""), "", "--", "", "x", "----")],
  ["boundary never seen", crlf(...top, multipart("b"), "", "no part at all")],
  ["boundary never closed", crlf(...top, multipart("b"), "", "--b", "", "one", "--b", "", "two")],
  [
    "header cut by a boundary",
    crlf(...top, multipart("b"), "", "--b", "Content-Type: text/html", "--b", "", "two", "--b--"),
  ],
  ["closed at once", crlf(...top, multipart("b"), "", "--b--")],
  ["text after the end", crlf(...top, multipart("b"), "", "--b", "", "one", "--b--", "--b", "", "hidden")],
  [
    "boundary that begins with another",
    crlf(...top, multipart("b"), "", "--b", multipart("bb"), "", "--bb", "", "x", "--bb--", "--b", "", "y", "--b--"),
  ],
  [
    "one boundary for two levels",
    crlf(...top, multipart("b"), "", "--b", multipart("b"), "", "--b", "", "x", "--b--", "--b", "", "y", "--b--"),
  ],
  [
    "inner multipart not closed",
    crlf(...top, multipart("a"), "", "--a", multipart("b"), "", "--b", "", "x", "--a", "", "y", "--a--"),
  ],
  [
    "multipart in base64",
    crlf(
      ...top,
      multipart("b"),
      "Content-Transfer-Encoding: base64",
      "",
      Buffer.from("--b\r\n\r\nx\r\n--b--").toString("base64"),
    ),
  ],
  [
    "message in base64",
    crlf(...top, "Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", "U3ViamVjdDogeA0KDQp5"),
  ],
  ["HTML that never ends", crlf(...top, "Content-Type: text/html", "", `<p>Hi <a href="x${"<!-- <a '".repeat(5000)}`)],
  [
    "file names in every way",
    crlf(...top, "Content-Disposition: attachment; filename*1=b; filename*0*=utf-8''%C3%A; filename*x=", "", "x"),
  ],
];

function nested(levels: number): string {
  const lines = [...top];
  for (let level = 0; level < levels; level++) lines.push(multipart(`level-${level}`), "", `--level-${level}`);
  lines.push("", "the kernel");
  for (let level = levels - 1; level >= 0; level--) lines.push(`--level-${level}--`);
  return lines.join("\r\n");
}

const heavy: [string, () => string][] = [
  ["10,000 parts", () => crlf(...top, multipart("b"), "", `${"--b\r\n\r\nx\r\n".repeat(10_000)}--b--`)],
  ["200,000 parts", () => crlf(...top, multipart("b"), "", `${"--b\r\n\r\nx\r\n".repeat(200_000)}--b--`)],
  ["1,000 levels", () => nested(1000)],
  ["1,000 levels of one boundary", () => crlf(...top, `${multipart("b")}\r\n\r\n--b\r\n`.repeat(1000), "", "x")],
  ["1 MB header field", () => crlf(...top, `X-Long: ${"x".repeat(1_000_000)}`, "", "Hello")],
  ["1 MB folded field", () => crlf(...top, `Subject: ${"long\r\n ".repeat(150_000)}end`, "", "Hello")],
  ["1 MB of small fields", () => crlf(...top, `${"a:\r\n".repeat(250_000)}`, "Hello")],
  ["1 MB of addresses", () => crlf(`To: ${'"A, B" <a@b.c>, '.repeat(65_000)}`, "", "Hello")],
  ["1 MB of open comments", () => crlf(`From: ${"(".repeat(500_000)}${'"\\'.repeat(250_000)}`, "", "Hello")],
  ["1 MB of encoded words", () => crlf(`Subject: ${"=?utf-8?q?=C3?= ".repeat(62_500)}`, "", "Hello")],
  [
    "1 MB of broken encoded words",
    () => crlf(`Subject: ${"=?".repeat(250_000)}${"=?x?q?".repeat(80_000)}`, "", "Hello"),
  ],
  ["1 MB of parameters", () => crlf(`Content-Type: text/plain${"; a=b".repeat(200_000)}`, "", "Hello")],
  ["1 MB of reply prefixes", () => crlf(`Subject: ${"Re: [x] ".repeat(125_000)}`, "", "Hello")],
  ["5 MB of dashes", () => crlf(...top, multipart("b"), "", "-".repeat(5_000_000))],
  ["5 MB of dashed lines", () => crlf(...top, multipart("b"), "", "--\n".repeat(1_700_000))],
  ["5 MB of almost boundaries", () => crlf(...top, multipart("bound"), "", "--bounx\n".repeat(600_000))],
  ["5 MB of blanks", () => crlf(...top, "Content-Transfer-Encoding: quoted-printable", "", " ".repeat(5_000_000))],
  ["5 MB of tags", () => crlf(...top, "Content-Type: text/html", "", "<a ".repeat(800_000), "<!--".repeat(600_000))],
  ["5 MB of scripts", () => crlf(...top, "Content-Type: text/html", "", "<script></scrip>".repeat(300_000))],
  ["5 MB of quoted lines", () => crlf(...top, "", "> On Monday wrote:\n".repeat(250_000))],
];

/** Each message must cost little time and memory, and throw no exception. */
export function nastyMessages(): NastyMessage[] {
  const light: NastyMessage[] = [...headers, ...bodies].map(([name, text]) => ({
    name,
    bytes: Buffer.from(text, "latin1"),
  }));
  return [...light, ...heavy.map(([name, make]) => ({ name, bytes: Buffer.from(make(), "latin1") }))];
}
