import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nastyMessages } from "../../test/mime/corpus.ts";
import { tries } from "../../test/support/fuzz.ts";
import {
  binary,
  contents,
  eight,
  fieldOf,
  head,
  lines,
  multipart,
  peers,
  plain,
  sent,
  utf8,
} from "../../test/support/wire.ts";
import { partBytes } from "./decode.ts";
import { asGroupedAddresses, asText, parseHeader } from "./headers.ts";
import { leaves } from "./structure.ts";
import { wireMessage } from "./transport.ts";
import { Unsendable } from "./unsendable.ts";
import { headerEnd, walk } from "./walk.ts";

describe("a message that is legal", () => {
  test("stays the object that it is", () => {
    const message = lines(...head, "Subject: Hello", "", "x".repeat(998), ".", "");
    for (const peer of peers) expect(wireMessage(message, peer)).toBe(message);
  });

  test("keeps 8-bit text for a server with 8BITMIME", () => {
    const message = lines(...head, "Content-Type: text/plain; charset=utf-8", "", "Grüße", "");
    expect(wireMessage(message, eight)).toBe(message);
    expect(wireMessage(message, utf8)).toBe(message);
  });
});

describe("a text", () => {
  test.each([
    ["of 8-bit octets", "Grüße aus Köln und anderen Orten"],
    ["of another script", "Привет, мир"],
    ["with a line of 3,000 octets", `a${"x".repeat(3000)}z`],
    ["with NUL", "a\0b"],
    ["with a CR alone among lines", "a\rb\r\nc"],
    ["with blanks at the ends of long lines", `${"y ".repeat(1500)}\r\nz\t`],
    ["that looks like a boundary", `--b\x00\r\n=2D-b ${"x".repeat(1000)}\r\n--b x`],
  ])("%s comes back", (_, text) => {
    for (const raw of [
      lines(...head, "Content-Type: text/plain; charset=utf-8", "", text, ""),
      lines(...head, ...multipart("multipart/mixed", ["Content-Type: text/plain; charset=utf-8", "", text], ["", "x"])),
      lines(...head, "", text, ""),
    ]) {
      for (const peer of peers) expect(contents(sent(raw, peer))).toEqual(contents(raw));
    }
  });

  test("whose lines end in LF gets CRLF", () => {
    const message = lines(...head, "Content-Type: text/plain; charset=utf-8", "", "one\ntwo", "");
    const unix = Buffer.from(message.toString("utf8").replaceAll("\r\n", "\n"));
    for (const raw of [unix, lines(...head, "", "one\ntwo\n")]) {
      for (const peer of peers) expect(contents(sent(raw, peer))[0]!.trimEnd()).toBe("one\r\ntwo");
    }
  });

  test("in an encoding with bad lines is encoded anew", () => {
    const content = "Grüße ".repeat(700);
    const base64 = Buffer.from(content).toString("base64");
    const quoted = `Gr=C3=BC=C3=9Fe =3D ${"abc ".repeat(700)}`;
    for (const [encoding, body] of [
      ["base64", base64],
      ["base64", `${base64.slice(0, 40)}\n${base64.slice(40)}`],
      ["quoted-printable", quoted],
      ["quoted-printable", `ü\0\r${quoted}`],
    ] as const) {
      const raw = lines(...head, `Content-Transfer-Encoding: ${encoding}`, "", body, "");
      for (const peer of peers) expect(contents(sent(raw, peer))).toEqual(contents(raw));
    }
  });

  test("without MIME fields gets those that it now needs, once", () => {
    const out = sent(
      lines("From: a@b.test", "Content-Transfer-Encoding: 8bit", "", "Grüße aus Köln", ""),
      plain,
    ).toString();
    expect(out.match(/^mime-version: 1\.0\r$/gim)).toHaveLength(1);
    expect(out.match(/^content-transfer-encoding: .*\r$/gim)).toEqual([
      "Content-Transfer-Encoding: quoted-printable\r",
    ]);
  });
});

test("attached octets come back, whatever they are", () => {
  const octets = Buffer.from(Array.from({ length: 5000 }, (_, n) => (n * 7) % 256)).toString("latin1");
  for (const encoding of ["binary", "8bit"]) {
    for (const type of ["image/png", "text/plain; name=x"]) {
      const field = `Content-Transfer-Encoding: ${encoding}`;
      const part = [`Content-Type: ${type}`, "Content-Disposition: attachment", field, "", octets];
      const raw = binary(...head, ...multipart("multipart/mixed", ["", "see there"], part));
      for (const peer of peers) expect(contents(sent(raw, peer))).toEqual(["see there", octets]);
    }
  }
});

describe("an attached message", () => {
  const inner = (...body: string[]): string[] => [
    "From: Jörg <jörg@bücher.example>",
    "Subject: Grüße",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "",
    ...body,
  ];
  const outer = (...message: string[]): Buffer =>
    lines(
      ...head,
      ...multipart(
        "multipart/mixed",
        ["", "see"],
        ["Content-Type: message/rfc822", "Content-Transfer-Encoding: 8bit", "", ...message],
      ),
    );
  const attached = (message: Buffer): Buffer => partBytes(message, leaves(walk(message))[1]!);

  test("with 8-bit octets is encoded within where the server has no 8BITMIME", () => {
    const raw = outer(...inner("Grüße aus Köln"));
    expect(sent(raw, eight)).toBe(raw);
    const out = sent(raw, plain);
    expect(out.toString()).not.toMatch(/8bit/);
    const message = attached(out);
    expect(contents(message)).toEqual([Buffer.from("Grüße aus Köln").toString("latin1")]);
    expect(asText(fieldOf(message, "subject"))).toBe("Grüße");
    expect(asGroupedAddresses(fieldOf(message, "from"))).toEqual([{ name: "Jörg jörg@bücher.example", addresses: [] }]);
  });

  test("in an attached message too", () => {
    const twice = ["Subject: fwd", ...multipart("multipart/digest", ["", ...inner(`ü${"x".repeat(3000)}`)])];
    twice[1] = "Content-Type: multipart/digest; boundary=c";
    const raw = outer(...twice.map((line) => line.replace(/^--b/, "--c")));
    for (const peer of peers) {
      const digest = attached(sent(raw, peer));
      const [message] = leaves(walk(digest)).map((part) => partBytes(digest, part));
      expect(contents(message!)).toEqual([Buffer.from(`ü${"x".repeat(3000)}`).toString("latin1")]);
    }
  });

  test("with long lines or NUL in its header is made legal for any server", () => {
    const raw = outer(`Subject: ${"word ".repeat(700)}`, `X-Token: ${"t".repeat(2000)}`, "X-Nul: a\0b", "", "x");
    for (const peer of peers) {
      const message = attached(sent(raw, peer));
      expect(asText(fieldOf(message, "subject")).trim()).toBe("word ".repeat(700).trim());
      expect(asText(fieldOf(message, "x-token"))).toBe("t".repeat(2000));
      expect(asText(fieldOf(message, "x-nul"))).toBe("ab");
    }
  });

  test("of the kind that may be encoded is, with every octet kept", () => {
    const raw = Buffer.from(
      outer(...inner(`ü${"x".repeat(3000)}`))
        .toString()
        .replace("message/rfc822", "message/global"),
    );
    expect(attached(sent(raw, plain))).toEqual(attached(raw));
  });

  test("a delivery report keeps its fields", () => {
    const fields = ["Reporting-MTA: dns; mx.test", "", "Final-Recipient: utf-8; jörg@far.test", "Status: 5.1.1", ""];
    const part = ["Content-Type: message/delivery-status", "", ...fields];
    const out = sent(lines(...head, ...multipart("multipart/report", part)), plain);
    const report = leaves(walk(out)).map((leaf) => partBytes(out, leaf).toString())[0]!;
    expect(report.split("\r\n\r\n").map((group) => parseHeader(Buffer.from(`${group}\r\n`)).length)).toEqual([1, 2]);
    expect(asText(fieldOf(Buffer.from(report.split("\r\n\r\n")[1]!), "final-recipient"))).toBe("utf-8; jörg@far.test");
  });
});

describe("what cannot be changed", () => {
  const signed = (...part: string[]): Buffer =>
    lines(
      ...head,
      ...multipart('multipart/signed; micalg=pgp-sha256; protocol="application/pgp-signature"', part, [
        "Content-Type: application/pgp-signature",
        "",
        "-----BEGIN PGP SIGNATURE-----",
      ]),
    );

  test("a signed part leaves as it is", () => {
    const raw = signed("Content-Type: text/plain; charset=utf-8", "", "Grüße");
    for (const peer of [eight, utf8]) expect(wireMessage(raw, peer)).toBe(raw);
    expect(() => wireMessage(raw, plain)).toThrow(
      "its signed part holds 8-bit text, which the server does not take (no 8BITMIME)",
    );
    const message = sent(Buffer.concat([Buffer.from("Subject: Grüße\r\n"), raw]), eight);
    expect(message.subarray(headerEnd(message))).toEqual(raw.subarray(headerEnd(raw)));
  });

  test.each([
    ["a long line in a signed part", signed("", "x".repeat(999))],
    ["NUL in a signed part", signed("", "a\0b")],
    ["CR alone in a signed part", signed("", "a\rb")],
    ["an unknown encoding", lines(...head, "Content-Transfer-Encoding: x-yenc", "", "x".repeat(999))],
    ["a piece of a message", lines(...head, "Content-Type: message/partial; id=x; number=2", "", "x".repeat(999))],
    [
      "a boundary that is no ASCII",
      lines(...head, "Content-Type: multipart/mixed; boundary=ü", "", "--ü", "", "x", "--ü--"),
    ],
    [
      "a boundary of 3,000 characters",
      lines(...head, `Content-Type: multipart/mixed; boundary=${"b".repeat(3000)}`, "", "x"),
    ],
    ["a field's name of 3,000 characters", lines(`${"X".repeat(3000)}: y`, ...head, "", "x")],
  ])("%s is refused for every server", (_, raw) => {
    for (const peer of peers) expect(() => wireMessage(raw, peer)).toThrow(Unsendable);
  });
});

/** The result is legal or refused, and the work always ends. */
function tryAll(message: Buffer): void {
  for (const peer of peers) {
    try {
      sent(message, peer);
    } catch (error) {
      if (!(error instanceof Unsendable)) throw error;
    }
  }
}

test("any octets are sent in a legal form", () => {
  const piece = fc.constantFrom(
    ...[
      "\r\n",
      "\r\n\r\n",
      "\n",
      "\r",
      "\0",
      " ",
      "\t",
      "a",
      "é",
      "\xff",
      ":",
      "--b",
      "--b--",
      "x".repeat(1001),
      "=",
      "<",
      ">",
      "@",
      ",",
      '"',
    ],
    ...[
      "From: a@b.c\r\n",
      "Cc: é@b.c, x@é.c\r\n",
      "Subject: é\r\n",
      "Content-Type: text/plain",
      "\r\nContent-Type: message/rfc822\r\n",
    ],
    ...[
      "Content-Type: multipart/mixed; boundary=b\r\n",
      "\r\nContent-Transfer-Encoding: base64\r\n",
      "Content-Transfer-Encoding: quoted-printable\r\n",
    ],
    ...[
      "\r\n--b\r\n",
      "References: <é@é> <b>\r\n",
      "Content-Disposition: attachment; filename=é\r\n",
      "multipart/signed",
      "message/global",
    ],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => tryAll(Buffer.from(pieces.join(""), "utf8"))),
    tries(2000, 100_000),
  );
});

test("malformed messages are sent in a legal form", () => {
  for (const { bytes } of nastyMessages()) if (bytes.length < 2_000_000) tryAll(bytes);
});
