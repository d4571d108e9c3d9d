import { isAscii } from "node:buffer";
import { describe, expect, test } from "vitest";
import { binary, eight, fieldOf, head, lines, multipart, peers, plain, sent, utf8 } from "../../test/support/wire.ts";
import { asAddresses, asGroupedAddresses, asMessageIds, asText, asUrls, parseHeader } from "./headers.ts";
import { leaves } from "./structure.ts";
import { type PeerAbilities, wireMessage } from "./transport.ts";
import { walk } from "./walk.ts";

describe("a header", () => {
  const out = (peer: PeerAbilities, ...fields: string[]): Buffer => sent(lines(...fields, ...head, "", "x", ""), peer);

  test("names, subjects and other text become encoded words", () => {
    for (const peer of peers) {
      const message = out(peer, "Subject: Grüße =?utf-8?q?=C3=BC?=", "Cc: Jörg (Büro) <j@far.test>", "X-Any: ü, ö");
      expect(isAscii(message)).toBe(true);
      expect(asText(fieldOf(message, "subject"))).toBe("Grüße ü");
      expect(asAddresses(fieldOf(message, "cc"))).toEqual([{ name: "Jörg", email: "j@far.test" }]);
      expect(asText(fieldOf(message, "x-any"))).toBe("ü, ö");
    }
  });

  test.each(["To", "Cc", "Reply-To", "Resent-To", "Return-Path", "Disposition-Notification-To", "Errors-To", "Bcc"])(
    "a domain in %s becomes A-labels",
    (name) => {
      for (const peer of peers) {
        const message = out(peer, `${name}: "A, B" <u@bücher.example>, plain@far.test, x@例え.テスト`);
        expect(asAddresses(fieldOf(message, name)).map(({ email }) => email)).toEqual([
          "u@xn--bcher-kva.example",
          "plain@far.test",
          "x@xn--r8jz45g.xn--zckzah",
        ]);
      }
    },
  );

  test("From and Sender are rewritten too", () => {
    const raw = lines("From: Ädä <ada@bücher.example>", "Sender: x@bücher.example", "", "x");
    for (const peer of peers) {
      expect(asAddresses(fieldOf(sent(raw, peer), "from"))).toEqual([
        { name: "Ädä", email: "ada@xn--bcher-kva.example" },
      ]);
      expect(fieldOf(sent(raw, peer), "sender").trim()).toBe("x@xn--bcher-kva.example");
    }
  });

  test("an address that only SMTPUTF8 carries stays where it may, and else becomes a name", () => {
    const cc = "Cc: Jörg <jörg@far.test>, b@far.test, friends: c@far.test, dö@far.test;";
    expect(fieldOf(out(utf8, cc), "cc")).toBe(cc.slice(3));
    for (const peer of [plain, eight]) {
      expect(asGroupedAddresses(fieldOf(out(peer, cc), "cc"))).toEqual([
        { name: "Jörg jörg@far.test", addresses: [] },
        { name: null, addresses: [{ name: null, email: "b@far.test" }] },
        { name: "friends", addresses: [{ name: null, email: "c@far.test" }] },
        { name: "dö@far.test", addresses: [] },
      ]);
    }
  });

  test("an author whom only SMTPUTF8 carries is sent with it alone", () => {
    for (const name of ["From", "Sender"]) {
      const raw = lines(`${name}: jörg@far.test`, "", "x");
      expect(wireMessage(raw, utf8)).toBe(raw);
      for (const peer of [plain, eight]) expect(() => wireMessage(raw, peer)).toThrow(/jörg@far\.test needs SMTPUTF8/);
    }
  });

  test("URLs, ids and parameters become ASCII", () => {
    for (const peer of peers) {
      const message = out(
        peer,
        "List-Unsubscribe: <https://bücher.example/ü?a=b>, <mailto:jörg@bücher.example?subject=ü>",
        "List-Id: Bücher <b.here.test>",
        "References: <a@b> <ü@bücher.example>",
        'Content-Type: text/plain; charset=utf-8; name="ü.txt"',
        "Content-Disposition: attachment; filename=ü ö.txt",
        "Date: Thu, 1 Jan 2026 10:00:00 +0100 (MÉZ)",
      );
      expect(asUrls(fieldOf(message, "list-unsubscribe"))).toEqual([
        "https://xn--bcher-kva.example/%C3%BC?a=b",
        "mailto:j%C3%B6rg@b%C3%BCcher.example?subject=%C3%BC",
      ]);
      expect(asAddresses(fieldOf(message, "list-id"))).toEqual([{ name: "Bücher", email: "b.here.test" }]);
      expect(asMessageIds(fieldOf(message, "references"))).toEqual(["a@b", "=?utf-8?b?w7w=?=@xn--bcher-kva.example"]);
      const part = walk(message);
      expect([part.name, part.charset, part.disposition]).toEqual(["ü ö.txt", "utf-8", "attachment"]);
      expect(fieldOf(message, "date")).toMatch(/^ Thu, 1 Jan 2026 10:00:00 \+0100 \(=\?utf-8\?q\?\S+\?=\)$/);
    }
  });

  test("names of attached files become ASCII", () => {
    const part = [
      "Content-Type: text/plain; name=ü.txt",
      'Content-Disposition: attachment; filename*0="ü"; filename*1=.txt',
    ];
    const raw = lines(...head, ...multipart("multipart/mixed", [...part, "", "x"], ["", "Grüße"]));
    for (const peer of peers) {
      const message = sent(raw, peer);
      expect(leaves(walk(message))[0]!.name).toBe("ü.txt");
      expect(message.toString()).not.toContain("ü.txt");
    }
  });

  test("raw text of an old charset is kept", () => {
    const latin = sent(binary("Subject: Gr\xfc\xdfe", "From: J\xf6rg <j@far.test>", "", "x"), plain);
    expect(asText(fieldOf(latin, "subject"))).toBe("Grüße");
    expect(asAddresses(fieldOf(latin, "from"))).toEqual([{ name: "Jörg", email: "j@far.test" }]);
    const koi = sent(
      binary("Subject: \xf0\xf2\xe9\xf7\xe5\xf4", "Content-Type: text/plain; charset=koi8-r", "", "x"),
      utf8,
    );
    expect(asText(fieldOf(koi, "subject"))).toBe("ПРИВЕТ");
  });

  test.each([
    ["Subject", "word ".repeat(600).trim()],
    ["Subject", "x".repeat(3000)],
    ["X-Token", "t".repeat(3000)],
    ["Subject", `a${" ".repeat(2000)}b`],
  ])("%s with a long line comes back", (name, value) => {
    for (const peer of peers) expect(asText(fieldOf(out(peer, `${name}: ${value}`), name))).toBe(value);
  });

  test("long lists of addresses, ids and URLs come back", () => {
    const addresses = Array.from({ length: 100 }, (_, n) => `user${n}@far.test`);
    const ids = Array.from({ length: 100 }, (_, n) => `id${n}@far.test`);
    const long = `${"i".repeat(3000)}@far.test`;
    for (const peer of peers) {
      const message = out(
        peer,
        `Cc: ${addresses.join(",")}`,
        `References: ${ids.map((id) => `<${id}>`).join("")}<${long}>`,
        `List-Help: <https://far.test/${"u".repeat(3000)}>`,
        `Content-Disposition: attachment; filename="${"f".repeat(3000)}.txt"`,
      );
      expect(asAddresses(fieldOf(message, "cc")).map(({ email }) => email)).toEqual(addresses);
      expect(asMessageIds(fieldOf(message, "references"))).toEqual([...ids, long]);
      expect(asUrls(fieldOf(message, "list-help"))).toEqual([`https://far.test/${"u".repeat(3000)}`]);
      expect(walk(message).name).toBe(`${"f".repeat(3000)}.txt`);
    }
  });

  test("NUL, CR alone and lines that are no field do not leave", () => {
    const raw = Buffer.concat([
      Buffer.from("\xef\xbb\xbfSubject: a\0b\rc\r\n\0\r\n\r\r\nJunk line\r\nX-\xe4: y\r\n", "latin1"),
      lines(...head, "", "x"),
    ]);
    for (const peer of peers) {
      const message = sent(raw, peer);
      expect(asText(fieldOf(message, "subject"))).toBe("ab c");
      expect(message.toString()).not.toMatch(/Junk|: y/);
      expect(parseHeader(message).map(({ name }) => name)).toEqual(["Subject", "From", "To", "MIME-Version"]);
    }
  });
});
