import fc from "fast-check";
import { expect, test } from "vitest";
import { frame } from "../../../test/support/flood.ts";
import { tries } from "../../../test/support/fuzz.ts";
import { FramePieces, type PartialMessage } from "./frames.ts";
import { HeadPieces, type Pieces } from "./pieces.ts";

/** The whole pieces of bytes that arrive in chunks. */
function parted(pieces: Pieces, chunks: Buffer[], onWhole: (piece: string) => void = () => {}): string[] {
  const found: string[] = [];
  let piece = "";
  let held = Buffer.alloc(0);
  for (const chunk of chunks) {
    held = Buffer.concat([held, chunk]);
    while (held.length > 0) {
      const { length, isWhole } = pieces.cut(held);
      if (length === 0) break;
      // Asking twice changes nothing.
      expect(pieces.cut(held)).toEqual({ length, isWhole });
      piece += held.toString("latin1", 0, length);
      held = held.subarray(length);
      pieces.passed();
      if (!isWhole) continue;
      onWhole(piece);
      found.push(piece);
      piece = "";
    }
  }
  return piece === "" ? found : [...found, piece];
}

function chunksOf(bytes: Buffer, ends: number[]): Buffer[] {
  const cuts = [...new Set(ends.map((end) => end % bytes.length))].sort((a, b) => a - b);
  return [...cuts, bytes.length].map((end, at) => bytes.subarray(at === 0 ? 0 : cuts[at - 1], end));
}

const ends = fc.array(fc.nat(10_000), { maxLength: 12 });
const line = fc.constantFrom("GET / HTTP/1.1", "X: y", "", "\n", "\r", "a\n");
const head = fc
  .array(
    line.filter((text) => text !== ""),
    { minLength: 1, maxLength: 4 },
  )
  .map((lines) => `${lines.join("\r\n")}\r\n\r\n`);

test("however requests arrive, no piece holds the ends of two heads", () => {
  fc.assert(
    fc.property(fc.array(head, { minLength: 1, maxLength: 5 }), ends, (heads, cuts) => {
      const text = heads.join("");
      const found = parted(new HeadPieces(), chunksOf(Buffer.from(text), cuts));
      expect(found.join("")).toBe(text);
      for (const piece of found) expect(piece.split("\n\r\n").length).toBeLessThanOrEqual(2);
    }),
    tries(500),
  );
});

test("nothing in a body is taken for the end of a head", () => {
  const body = "a\r\n\r\nb\r\n\r\n";
  const pieces = new HeadPieces();
  const text = `POST / HTTP/1.1\r\n\r\n${body}GET / HTTP/1.1\r\n\r\n`;
  let isFirst = true;
  const found = parted(pieces, [Buffer.from(text)], () => {
    if (isFirst) pieces.body(body.length);
    isFirst = false;
  });
  expect(found).toEqual(["POST / HTTP/1.1\r\n\r\n", `${body}GET / HTTP/1.1\r\n\r\n`]);
});

const payload = fc.oneof(
  fc.string({ maxLength: 5 }),
  fc.nat(70_000).map((length) => "x".repeat(length)),
);
const message = fc.array(payload, { minLength: 1, maxLength: 4 });

test("however frames arrive, each is a piece, and only messages that are not whole are counted", () => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 3 }), ends, (messages, cuts) => {
      const frames = messages.flatMap((payloads) =>
        payloads.flatMap((text, at) => [
          frame(text, { opcode: at === 0 ? 1 : 0, isLast: at === payloads.length - 1 }),
          frame("ping", { opcode: 9 }),
        ]),
      );
      let whole = 0;
      const parts: PartialMessage[] = [];
      const pieces = new FramePieces(
        (part) => parts.push({ ...part }) > 0,
        () => whole++,
      );
      const found = parted(pieces, chunksOf(Buffer.concat(frames), cuts));
      expect(found).toEqual(frames.map((bytes) => bytes.toString("latin1")));
      expect(whole).toBe(messages.length);
      for (const { arrived, mayTake } of parts) expect(arrived).toBeLessThanOrEqual(mayTake);
    }),
    tries(100),
  );
});

test("nothing more is handed on of a message that may not go on", () => {
  let mayGoOn = false;
  const pieces = new FramePieces(
    () => mayGoOn,
    () => {},
  );
  const bytes = frame("x", { isLast: false });
  expect(pieces.cut(bytes)).toEqual({ length: 0, isWhole: false });
  mayGoOn = true;
  expect(pieces.cut(bytes)).toEqual({ length: bytes.length, isWhole: true });
});

test("a compressed frame may take as much as deflate makes of it, from its header on", () => {
  const parts: PartialMessage[] = [];
  const pieces = new FramePieces(
    (part) => parts.push({ ...part }) > 0,
    () => {},
  );
  const bytes = frame("x".repeat(1_000), { isLast: false, isCompressed: true });
  parted(pieces, [bytes.subarray(0, 100), bytes.subarray(100)]);
  expect(parts.length).toBeGreaterThan(0);
  expect(parts.every(({ mayTake }) => mayTake > 1_000_000)).toBe(true);
  parted(pieces, [frame("x".repeat(1_000), { opcode: 0, isLast: false })]);
  expect(parts.at(-1)).toMatchObject({ arrived: 1_000 });
  expect(parts.at(-1)!.mayTake).toBeGreaterThan(2_000_000);
});
