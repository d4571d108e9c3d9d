import { isAscii } from "node:buffer";
import { expect } from "vitest";
import { partBytes } from "../../src/mime/decode.ts";
import { parseHeader } from "../../src/mime/headers.ts";
import { leaves } from "../../src/mime/structure.ts";
import { type PeerAbilities, wireMessage } from "../../src/mime/transport.ts";
import { headerEnd, walk } from "../../src/mime/walk.ts";

/** Every combination of extensions that a server may offer. */
export const plain: PeerAbilities = { eightBit: false, utf8: false };
export const eight: PeerAbilities = { eightBit: true, utf8: false };
export const utf8: PeerAbilities = { eightBit: true, utf8: true };
export const peers = [plain, eight, utf8];

export const lines = (...all: string[]): Buffer => Buffer.from(all.join("\r\n"), "utf8");
export const binary = (...all: string[]): Buffer => Buffer.from(all.join("\r\n"), "latin1");

/** Checks that a message is legal for every server. */
export function expectLegal(bytes: Buffer, { eightBit, utf8: takesUtf8 }: PeerAbilities): void {
  const text = bytes.toString("latin1");
  expect(text).not.toContain("\0");
  expect(text).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
  for (const line of text.split("\r\n")) if (line.length > 998) expect.fail(`a line of ${line.length} octets`);
  if (!eightBit) expect(isAscii(bytes)).toBe(true);
  if (!takesUtf8) expect(isAscii(bytes.subarray(0, headerEnd(bytes)))).toBe(true);
}

export function sent(message: Buffer, peer: PeerAbilities): Buffer {
  const out = wireMessage(message, peer);
  expectLegal(out, peer);
  expect(wireMessage(out, peer)).toBe(out);
  return out;
}

export const contents = (message: Buffer): string[] =>
  leaves(walk(message)).map((part) => partBytes(message, part).toString("latin1"));
export const fieldOf = (message: Buffer, name: string): string =>
  parseHeader(message).find((field) => field.name.toLowerCase() === name.toLowerCase())?.value ?? "";

export const head = ["From: Ada <ada@here.test>", "To: zoe@far.test", "MIME-Version: 1.0"];
export const multipart = (type: string, ...parts: string[][]): string[] => [
  `Content-Type: ${type}; boundary=b`,
  "",
  ...parts.flatMap((part) => ["--b", ...part]),
  "--b--",
  "",
];
