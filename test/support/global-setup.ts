import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The folder where all test processes log their statements; statements.test.ts reads it last. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "posthorn-statements-"));
  process.env.STATEMENT_LOG = folder;
  const recorder = new URL("./record-statements.ts", import.meta.url).href;
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} --import ${recorder}`.trim();
  return () => rmSync(folder, { recursive: true, force: true });
}
