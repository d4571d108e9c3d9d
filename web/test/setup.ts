import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { whyNoBrowser } from "./browser.ts";

/** Makes the pages once, into web/dist: otherwise each server of the tests would make them at its start. */
export default async function setup(): Promise<void> {
  if (whyNoBrowser) return;
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, "../build.ts")]);
}
