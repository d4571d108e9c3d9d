import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCitus } from "./citus.ts";

/** The folder where all test processes log their statements, which statements.test.ts reads last; and the Citus cluster, if any. */
export default async function setup(): Promise<() => Promise<void>> {
  const closeCitus = process.env.CITUS_URL === undefined ? async () => {} : await openCitus(process.env.CITUS_URL);
  const folder = mkdtempSync(join(tmpdir(), "posthorn-statements-"));
  process.env.STATEMENT_LOG = folder;
  const recorder = new URL("./record-statements.ts", import.meta.url).href;
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} --import ${recorder}`.trim();
  return async () => {
    rmSync(folder, { recursive: true, force: true });
    await closeCitus();
  };
}
