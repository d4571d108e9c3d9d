import { deflateRawSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { zipOf } from "../../../test/support/zip.ts";
import { BadReport, unpack } from "./unpack.ts";

const text = Buffer.from("<feedback></feedback>");

test("the one file in a gzip or a zip, or the bytes themselves", async () => {
  for (const packed of [text, gzipSync(text), zipOf("a.xml", text), zipOf("a.xml", text, "stored")]) {
    expect(await unpack(packed)).toEqual(text);
  }
});

test.each<[string, Buffer]>([
  ["a gzip bomb", gzipSync(Buffer.alloc(50_000_000))],
  ["a zip bomb", zipOf("a.xml", Buffer.alloc(50_000_000))],
  ["a zip bomb that claims to be small", zipOf("a.xml", Buffer.alloc(50_000_000), "deflated", 10)],
  ["what is too large packed", Buffer.alloc(5_000_001)],
  ["half a gzip", gzipSync(Buffer.alloc(10_000, "x")).subarray(0, 20)],
  ["half a zip", zipOf("a.xml", text).subarray(0, 40)],
  ["a zip without its end", Buffer.concat([zipOf("a.xml", text).subarray(0, -22), Buffer.alloc(22)])],
  ["bytes that only begin as a zip", Buffer.concat([Buffer.from("PK\x03\x04"), deflateRawSync(text)])],
  ["nothing", Buffer.alloc(0)],
  ["one byte", Buffer.alloc(1)],
])("%s is refused", async (_, packed) => {
  await expect(unpack(packed)).rejects.toThrow(BadReport);
});
