import { isAscii } from "node:buffer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { wireMessage } from "../../src/mime/transport.ts";
import { Unsendable } from "../../src/mime/unsendable.ts";
import { tries } from "../support/fuzz.ts";
import { expectSame, randomMail } from "./random-mail.ts";

test("a message in its form for any server says what it said", () => {
  fc.assert(
    fc.property(randomMail, fc.constantFrom(0, 1, 2), (message, kind) => {
      const peer = { eightBit: kind > 0, utf8: kind > 1 };
      let out: Buffer;
      try {
        out = wireMessage(message, peer);
      } catch (error) {
        if (error instanceof Unsendable && /signed part/.test(error.message)) return;
        throw error;
      }
      expect(out.toString("latin1")).not.toMatch(/\0|\r(?!\n)|(?<!\r)\n/);
      if (
        out
          .toString("latin1")
          .split("\r\n")
          .some((line) => line.length > 998)
      )
        expect.fail("a long line");
      if (!peer.eightBit) expect(isAscii(out)).toBe(true);
      expectSame(message, out);
    }),
    tries(1000, 30_000),
  );
});
