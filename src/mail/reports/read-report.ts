import { ThreadKind } from "../../base/threads.ts";
import { parseDmarcReport } from "./dmarc-report.ts";
import type { ParsedReport } from "./report.ts";
import { parseTlsReport } from "./tls-report.ts";
import { BadReport, unpack } from "./unpack.ts";

/** More bytes than these would block the event loop, so a worker thread reads them: about 20 ms. */
const maxInline = 300_000;
const maxTimeMs = 30_000;

/** The extension of this file: .ts when Node runs the source, .js in the build. */
const workerFile = new URL(`./read-worker${import.meta.url.slice(-3)}`, import.meta.url);
const threads = new ThreadKind<null, ParsedReport[]>(workerFile, maxTimeMs);

/** Reads an attachment: DMARC's XML or TLS's JSON, in gzip, in zip or bare. Throws BadReport. */
export async function readReports(packed: Buffer): Promise<ParsedReport[]> {
  const bytes = await unpack(packed);
  if (bytes.length <= maxInline) return parseReports(bytes);
  return threads.run(bytes, null).catch((error: Error) => {
    throw new BadReport(error.message);
  });
}

/** Throws BadReport. */
export function parseReports(bytes: Buffer): ParsedReport[] {
  const text = bytes.toString("utf8").trimStart();
  if (text.startsWith("{")) return parseTlsReport(text);
  if (text.startsWith("<")) return [parseDmarcReport(text)];
  throw new BadReport("neither XML nor JSON");
}
