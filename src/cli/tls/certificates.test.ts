import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { generate } from "selfsigned";
import { afterAll, expect, test } from "vitest";
import type { Certificate } from "../../smtp/inbound/certificate.ts";
import { Failure } from "../fail.ts";
import { ChangingCertificates, readPair } from "./certificates.ts";

const folder = mkdtempSync(join(tmpdir(), "posthorn-certificates-"));
afterAll(() => rmSync(folder, { recursive: true }));

const files = { tlsCert: join(folder, "cert.pem"), tlsKey: join(folder, "key.pem") };
function write({ cert, key }: Certificate): void {
  writeFileSync(files.tlsCert, cert);
  writeFileSync(files.tlsKey, key);
}
async function make(): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: "commonName", value: "mail.test" }], { keySize: 2048 });
  return { cert, key };
}

test("a new pair in the files is used; one that does not fit leaves the old one, and is told once", async () => {
  const [first, second] = [await make(), await make()];
  write(first);
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const certificates = new ChangingCertificates({ first: await readPair(files), source: () => readPair(files), log });
  const taken: Certificate[] = [];
  certificates.onChange((certificate) => taken.push(certificate));

  await certificates.look();
  expect(taken).toEqual([]);
  write({ cert: second.cert, key: first.key });
  await certificates.look();
  await certificates.look();
  expect(certificates.current).toEqual(first);
  expect(lines.filter((line) => line.includes("cannot be renewed"))).toHaveLength(1);
  write(second);
  await certificates.look();
  expect(certificates.current).toEqual(second);
  expect(taken).toEqual([second]);
  certificates.close();
});

test("files that are no pair do not let the server start", async () => {
  const [first, second] = [await make(), await make()];
  write({ cert: first.cert, key: second.key });
  await expect(readPair(files)).rejects.toThrow(Failure);
  await expect(readPair({ ...files, tlsKey: join(folder, "none.pem") })).rejects.toThrow(/cannot be read/);
});
